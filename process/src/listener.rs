//! HTTP listeners: what happens between TCP and a request, with a bound for all that a peer can make us hold.
//!
//! Connections, the head of a request, idle time, progress of writes and the end in order are bounded here; the body
//! of a request is bounded by whoever reads it. Routes belong to the services. When few places are left, those who
//! keep a connection and ask for nothing lose it.
//!
//! HTTP/1 only: a server that tells versions apart by their first bytes waits for those without a
//! limit, and nobody needs HTTP/2 here.

mod args;
mod bind;
mod connection;
mod descriptors;
mod head;
mod kept;
mod limits;
mod slots;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tower::Service as _;

pub use args::ListenerArgs;
pub use bind::bind;
pub use connection::{Halves, ReadHalf, WriteHalf};
pub use limits::Limits;
pub use slots::{CONNECTIONS, CUT, REFUSED};

use connection::{Activity, Connection};
use head::HeadTimer;
use kept::Kept;
use slots::{Slot, Slots};

/// How long to wait when the system has no descriptor for another connection.
const NO_DESCRIPTOR: Duration = Duration::from_secs(1);
/// The head of a request, in bytes: twice the largest token. hyper would take 400 KiB of each stranger.
const HEAD_BYTES: usize = 64 * 1024;

/// Who is at the other end of the connection that a request came by: an extension of each request of a
/// [`Listener`] that [tells it](Listener::telling_peers).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub SocketAddr);

/// A bound listener and its limits.
#[derive(Debug)]
pub struct Listener {
    bound: TcpListener,
    port: &'static str,
    limits: Limits,
    tells_peers: bool,
}

impl Listener {
    /// The listener that people reach. It has no more connections than leave the process the
    /// descriptors that it needs for itself.
    #[must_use]
    pub fn public(bound: TcpListener, limits: Limits) -> Self {
        let connections = descriptors::affordable(limits.connections);
        let limits = Limits { connections, ..limits };
        Self { bound, port: "public", limits, tells_peers: false }
    }

    /// Tells each request its [`Peer`], which costs some allocations.
    #[must_use]
    pub fn telling_peers(self) -> Self {
        Self { tells_peers: true, ..self }
    }

    /// The listener that only the platform reaches.
    pub(crate) fn admin(bound: TcpListener, limits: Limits) -> Self {
        Self { bound, port: "admin", limits, tells_peers: false }
    }

    /// Serves the routes until `stop`, then takes no more connections and waits until the answers
    /// under way are given, for [`Limits::shutdown`] at most. Dropping the future ends all
    /// connections.
    ///
    /// Upgraded connections are their handler's, and neither waited for nor ended.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let Self { bound, port, limits, tells_peers } = self;
        let slots = Slots::new(limits.connections, port);
        let (mut connections, leaving) = (JoinSet::new(), CancellationToken::new());
        let mut kept = Kept::new(limits.connections);
        let mut stop = pin!(stop);
        loop {
            let stream = tokio::select! {
                () = &mut stop => break,
                stream = accept(&bound) => stream,
                Some(ended) = connections.join_next_with_id() => {
                    kept.forget(ended.map_or_else(|error| error.id(), |(task, ())| task));
                    continue;
                }
            };
            let slot = slots.take();
            kept.make_room(slots.free());
            let Some(slot) = slot else { continue };
            let (activity, leaving) = (Arc::new(Activity::begin()), leaving.child_token());
            let peer = if tells_peers { stream.peer_addr().ok().map(Peer) } else { None };
            let (stream, router) = ((stream, peer), router.clone());
            let serving =
                serve_one(stream, (slot, Arc::clone(&activity)), router, limits, leaving.clone());
            kept.add(connections.spawn(serving).id(), activity, leaving);
        }
        drop(bound);
        leaving.cancel();
        let answered = async { while connections.join_next().await.is_some() {} };
        if timeout(limits.shutdown, answered).await.is_err() {
            tracing::warn!(connections = connections.len(), "answers are not taken: leaving");
        }
    }
}

async fn serve_one(
    (stream, peer): (TcpStream, Option<Peer>),
    (slot, activity): (Slot, Arc<Activity>),
    router: Router,
    limits: Limits,
    leaving: CancellationToken,
) {
    let counts = Arc::clone(&slot.counts);
    let mut http = http1::Builder::new();
    http.timer(HeadTimer::new(Arc::clone(&activity), limits.head))
        .header_read_timeout(limits.idle)
        .max_buf_size(HEAD_BYTES)
        // Head and body are copied into one buffer: a system call that gathers two costs more than that.
        // A connection keeps the buffer, as large as its largest answer.
        .writev(false);
    let service = service_fn(move |mut request: Request<Incoming>| {
        if let Some(peer) = peer {
            request.extensions_mut().insert(peer);
        }
        router.clone().call(request)
    });
    let io = TokioIo::new(Connection::new(stream, slot, Arc::clone(&activity), limits.stall));
    let connection = http.serve_connection(io, service).with_upgrades();
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = leaving.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    let Err(error) = ended else { return };
    if error.is_timeout() && activity.has_begun() {
        counts.slow_heads.increment(1);
    }
    tracing::debug!(%error, "a connection ended early");
}

async fn accept(bound: &TcpListener) -> TcpStream {
    loop {
        match bound.accept().await {
            Ok((stream, _)) => {
                // Small frames must not wait for the acknowledgement of the ones before.
                if let Err(error) = stream.set_nodelay(true) {
                    tracing::debug!(%error, "a connection keeps its delay");
                }
                return stream;
            }
            Err(error) if went_away(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "no connection can be taken");
                sleep(NO_DESCRIPTOR).await;
            }
        }
    }
}

/// Whether only this one connection failed.
fn went_away(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
