//! Connections: who may open one, how long it lives, and how it ends.
//!
//! This is our own loop around hyper's connections because of what tonic's does. With a grace period
//! it cuts a connection that is old enough instead of telling the peer to begin no more calls on it
//! (tonic 0.14.9; the upstream issue is grpc/grpc-rust#2449), and it waits for ever for a peer that
//! does not begin with HTTP/2.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use hyper::rt::Executor;
use hyper::server::conn::http2::Builder;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use service_process::lifecycle::Tasks;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, join, split};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{sleep, timeout};
use tonic::body::Body;
use tonic::service::Routes;
use tower::ServiceExt as _;
use tracing::{debug, warn};

use super::tls::Handshakes;
use crate::metrics::{GRPC_REFUSED, TLS_REJECTS};

/// Connections that do not speak HTTP/2 yet. Each goes within [`LONGEST_HANDSHAKE`] and
/// [`LONGEST_PREFACE`]; further ones wait in the kernel's queue.
const MOST_BEGINNING: usize = 256;

/// Connections that do. Each replica of Dex has one. With those that begin they leave more than a third
/// of the usual 1,024 descriptors to the database, the other ports and files.
const MOST_CONNECTIONS: usize = 384;

/// How long a handshake of TLS may take. A peer in the same network needs milliseconds.
const LONGEST_HANDSHAKE: Duration = Duration::from_secs(5);

/// How long a peer may then take to begin with HTTP/2. It does so with its first packet.
const LONGEST_PREFACE: Duration = Duration::from_secs(5);

/// What a client begins with: RFC 9113 §3.4.
const PREFACE: &[u8; 24] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// How long calls may take on a connection that has had its time. Dex gives up on a login after 8 s.
const GRACE: Duration = Duration::from_secs(10);

/// How long a peer may be silent before it is asked whether it lives, and how long it may take to
/// answer: half-open connections and mute peers go.
const KEEPALIVE: (Duration, Duration) = (Duration::from_secs(10), Duration::from_secs(10));

/// Calls under way on one connection; a caller keeps further ones back. Each replica of Dex has one
/// connection here, and 1,024 refused logins that are padded for half a second are 2,000 a second,
/// more than the limits let in.
const MAX_STREAMS: u32 = 1024;

/// Calls that may be taken back before they were looked at. Hyper ends a connection with 20 of them,
/// against clients that do nothing else; here all people share the connection of their Dex, which has a
/// certificate, and any number of them may hang up in one moment.
const MOST_RESETS: usize = 1024;

/// How connections are answered.
#[derive(Clone)]
pub struct Server {
    /// The services.
    pub routes: Routes,
    /// How a TLS handshake is made; `None` to serve without TLS.
    pub handshakes: Option<Handshakes>,
    /// After which time the peer is told to begin no more calls on a connection. A caller looks for
    /// replicas when it connects, so a new replica gets its share of calls within that time.
    pub age: Duration,
}

/// Why a connection was ended before it served anything.
enum Refused {
    Handshake(String),
    Mute,
    NotHttp2,
    Full,
}

impl Server {
    /// Serves until the process stops: then no connection is accepted, peers are told to begin no more
    /// calls, and those under way are finished.
    ///
    /// # Panics
    /// Never: no semaphore is closed.
    pub fn serve(self, listener: TcpListener, tasks: &Tasks) {
        let beginning = Arc::new(Semaphore::new(MOST_BEGINNING));
        let connections = Arc::new(Semaphore::new(MOST_CONNECTIONS));
        let tasks = tasks.clone();
        tasks.clone().worker("grpc-accept", async move {
            let next = async || {
                let place = Arc::clone(&beginning).acquire_owned().await;
                (place.expect("the semaphore is never closed"), listener.accept().await)
            };
            while let Some((place, accepted)) = tasks.stopping().run_until_cancelled(next()).await {
                let (connection, peer) = match accepted {
                    Ok(accepted) => accepted,
                    // Out of descriptors, or the peer left: the next accept may succeed. Waiting
                    // keeps the loop from spinning meanwhile.
                    Err(error) => {
                        warn!(%error, "accept failed");
                        sleep(Duration::from_millis(50)).await;
                        continue;
                    }
                };
                at_once(&connection);
                let (server, connections) = (self.clone(), Arc::clone(&connections));
                let of_connection = tasks.clone();
                tasks.spawn(async move {
                    let answered = server.answer(connection, place, &connections, &of_connection);
                    if let Err(refused) = answered.await {
                        refused.note(&peer);
                    }
                });
            }
            Ok(())
        });
    }

    async fn answer(
        &self,
        connection: TcpStream,
        place: OwnedSemaphorePermit,
        connections: &Arc<Semaphore>,
        tasks: &Tasks,
    ) -> Result<(), Refused> {
        let Some(handshakes) = &self.handshakes else {
            return self.speak(connection, place, connections, tasks).await;
        };
        let handshake = handshakes.acceptor().accept(connection);
        match timeout(LONGEST_HANDSHAKE, handshake).await {
            Ok(Ok(stream)) => self.speak(stream, place, connections, tasks).await,
            Ok(Err(error)) => Err(Refused::Handshake(error.to_string())),
            Err(_) => Err(Refused::Handshake("handshake took too long".to_owned())),
        }
    }

    async fn speak(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        beginning: OwnedSemaphorePermit,
        connections: &Arc<Semaphore>,
        tasks: &Tasks,
    ) -> Result<(), Refused> {
        let (mut reader, writer) = split(stream);
        let mut begun = [0; PREFACE.len()];
        let reading = timeout(LONGEST_PREFACE, reader.read_exact(&mut begun));
        match tasks.stopping().run_until_cancelled(reading).await {
            Some(Ok(Ok(_))) if &begun == PREFACE => {}
            // A stop does not wait for a peer that has not begun.
            None => return Ok(()),
            // A probe of the port that hangs up.
            Some(Ok(Err(error))) if hung_up(&error) => return Ok(()),
            Some(Ok(_)) => return Err(Refused::NotHttp2),
            Some(Err(_)) => return Err(Refused::Mute),
        }
        let _place = Arc::clone(connections).try_acquire_owned().map_err(|_| Refused::Full)?;
        drop(beginning);
        self.serve_calls(join(io::Cursor::new(begun).chain(reader), writer), tasks).await;
        Ok(())
    }

    async fn serve_calls(
        &self,
        stream: impl AsyncRead + AsyncWrite + Send + Unpin + 'static,
        tasks: &Tasks,
    ) {
        let routes = self.routes.clone();
        let calls =
            routes.map_request(|call: hyper::Request<hyper::body::Incoming>| call.map(Body::new));
        let mut serving = pin!(
            Builder::new(OnTasks(tasks.clone()))
                .timer(TokioTimer::new())
                .keep_alive_interval(KEEPALIVE.0)
                .keep_alive_timeout(KEEPALIVE.1)
                .max_concurrent_streams(MAX_STREAMS)
                .max_pending_accept_reset_streams(MOST_RESETS)
                .serve_connection(TokioIo::new(stream), TowerToHyperService::new(calls))
        );
        let grace = tokio::select! {
            ended = serving.as_mut() => return note_end(ended),
            () = sleep(self.age) => Some(GRACE),
            () = tasks.stopping().cancelled() => None,
        };
        serving.as_mut().graceful_shutdown();
        let rest = async {
            match grace {
                Some(grace) => timeout(grace, serving).await.unwrap_or(Ok(())),
                None => serving.await,
            }
        };
        // A peer that never hangs up is left.
        if let Some(ended) = tasks.aborting().run_until_cancelled(rest).await {
            note_end(ended);
        }
    }
}

impl Refused {
    fn note(&self, peer: &std::net::SocketAddr) {
        let why = match self {
            Self::Handshake(reason) => {
                metrics::counter!(TLS_REJECTS).increment(1);
                warn!(event = "tls.reject", %peer, reason, "connection refused");
                return;
            }
            Self::Mute => "mute",
            Self::NotHttp2 => "not_http2",
            Self::Full => "full",
        };
        metrics::counter!(GRPC_REFUSED, "why" => why).increment(1);
        warn!(%peer, why, "connection ended unserved");
    }
}

fn hung_up(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset)
}

/// A peer that vanishes or breaks the protocol is its own affair.
fn note_end(ended: hyper::Result<()>) {
    if let Err(error) = ended {
        debug!(%error, "a connection ended by an error");
    }
}

/// Sends what is written at once. TCP holds a second small packet back until the first is
/// acknowledged, and the peer acknowledges after up to 40 ms (RFC 896, RFC 1122 §4.2.3.2): an answer
/// is two of them.
fn at_once(connection: &TcpStream) {
    if let Err(error) = connection.set_nodelay(true) {
        // The peer has gone already: the handshake will say so.
        debug!(%error, "a connection keeps its delay");
    }
}

/// Runs calls as tasks of the process, which a stop waits for.
#[derive(Clone)]
struct OnTasks(Tasks);

impl<F> Executor<F> for OnTasks
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, call: F) {
        self.0.spawn(async move {
            call.await;
        });
    }
}
