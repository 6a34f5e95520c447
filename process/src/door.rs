//! What every listener of ours does between TCP and requests: it bounds all that a peer can make us
//! hold.
//!
//! HTTP/1 only: a server that tells versions apart by their first bytes waits for those without a
//! limit, and nobody needs HTTP/2 here.

mod args;
mod connection;
mod descriptors;
mod head;

use std::io::{self, ErrorKind};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use ::metrics::{Counter, Gauge, counter, gauge};
use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

use crate::metrics::Metric;
pub use args::DoorArgs;
use connection::{Activity, Connection};
use head::Heads;

/// Open connections, by `port`: `public` or `admin`.
pub const CONNECTIONS: Metric =
    Metric::gauge("http_connections", &["port"], "Open connections, sockets too.");
/// Connections over the limit.
pub const REFUSED: Metric = Metric::counter(
    "http_connections_refused_total",
    &["port"],
    "Connections over the limit, which were closed at once.",
);
/// Connections of peers that were too slow, by `why`: `slow_head` or `stalled`.
pub const CUT: Metric = Metric::counter(
    "http_connections_cut_total",
    &["port", "why"],
    "Connections of peers that were too slow.",
);

/// How long to wait when the system has no descriptor for another connection.
const NO_DESCRIPTOR: Duration = Duration::from_secs(1);
/// The head of a request, in bytes: twice the largest token. hyper would take 400 KiB of each stranger.
const HEAD_BYTES: usize = 64 * 1024;

/// What one listener bears.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Connections at once, upgraded ones too. One more is closed at once.
    pub connections: usize,
    /// From the connection to the end of the first request's head, and from the first byte of a later
    /// head to its end.
    pub head: Duration,
    /// From an answer to the first byte of the next request.
    pub idle: Duration,
    /// For a write of which the peer takes nothing.
    pub stall: Duration,
    /// At a stop, for the answers under way.
    pub farewell: Duration,
}

impl Limits {
    /// What a listener bears unless its service says otherwise, with so many connections.
    #[must_use]
    pub const fn new(connections: usize) -> Self {
        Self {
            connections,
            head: Duration::from_secs(10),
            // Longer than the minute for which proxies commonly keep a connection: who closes first
            // should be the proxy, or it sends a request into a closed one.
            idle: Duration::from_secs(75),
            stall: Duration::from_secs(15),
            // Shorter than the shortest grace of a service, 10 s.
            farewell: Duration::from_secs(8),
        }
    }
}

/// A bound listener and its limits.
#[derive(Debug)]
pub struct Door {
    listener: TcpListener,
    port: &'static str,
    limits: Limits,
}

impl Door {
    /// The listener that people reach. It has no more connections than leave the process the
    /// descriptors that it needs for itself.
    #[must_use]
    pub fn public(listener: TcpListener, limits: Limits) -> Self {
        let connections = descriptors::affordable(limits.connections);
        Self { listener, port: "public", limits: Limits { connections, ..limits } }
    }

    /// The listener that only the platform reaches.
    pub(crate) fn admin(listener: TcpListener, limits: Limits) -> Self {
        Self { listener, port: "admin", limits }
    }

    /// Serves the routes until `stop`, then takes no more connections and waits until the answers
    /// under way are given, for [`Limits::farewell`] at most. Dropping the future ends all
    /// connections.
    ///
    /// Upgraded connections are their handler's, and neither waited for nor ended.
    pub async fn serve(self, router: Router, stop: impl Future<Output = ()>) {
        let Self { listener, port, limits } = self;
        let counts = Arc::new(Counts::of(port));
        let places = Arc::new(Semaphore::new(limits.connections));
        let (mut connections, leaving) = (JoinSet::new(), CancellationToken::new());
        let mut stop = pin!(stop);
        loop {
            let stream = tokio::select! {
                () = &mut stop => break,
                stream = accept(&listener) => stream,
                Some(_) = connections.join_next() => continue,
            };
            let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
                counts.refused.increment(1);
                continue;
            };
            let place = Place { _permit: place, counts: Arc::clone(&counts) };
            place.counts.open.increment(1.0);
            connections.spawn(serve_one(stream, place, router.clone(), limits, leaving.clone()));
        }
        drop(listener);
        leaving.cancel();
        let answered = async { while connections.join_next().await.is_some() {} };
        if timeout(limits.farewell, answered).await.is_err() {
            tracing::warn!(connections = connections.len(), "answers are not taken: leaving");
        }
    }
}

/// A connection's place among the others, until it is dropped.
struct Place {
    _permit: OwnedSemaphorePermit,
    counts: Arc<Counts>,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.counts.open.decrement(1.0);
    }
}

/// What is counted at one port, looked up once.
struct Counts {
    open: Gauge,
    refused: Counter,
    slow_heads: Counter,
    stalls: Counter,
}

impl Counts {
    fn of(port: &'static str) -> Self {
        let counts = Self {
            open: gauge!(CONNECTIONS.name, "port" => port),
            refused: counter!(REFUSED.name, "port" => port),
            slow_heads: counter!(CUT.name, "port" => port, "why" => "slow_head"),
            stalls: counter!(CUT.name, "port" => port, "why" => "stalled"),
        };
        // Their first event must be seen as an increase.
        for counter in [&counts.refused, &counts.slow_heads, &counts.stalls] {
            counter.increment(0);
        }
        counts
    }
}

async fn serve_one(
    stream: TcpStream,
    place: Place,
    router: Router,
    limits: Limits,
    leaving: CancellationToken,
) {
    let activity = Arc::new(Activity::default());
    let counts = Arc::clone(&place.counts);
    let mut http = http1::Builder::new();
    http.timer(Heads::new(Arc::clone(&activity), limits.head))
        .header_read_timeout(limits.idle)
        .max_buf_size(HEAD_BYTES);
    let io = TokioIo::new(Connection::new(stream, place, Arc::clone(&activity), limits.stall));
    let connection = http.serve_connection(io, TowerToHyperService::new(router)).with_upgrades();
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

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
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
