//! The open door: from TCP connections to requests.

use std::io::{self, ErrorKind};
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use hyper::body::Incoming;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// How long to wait when there is no place for another connection.
const NO_PLACE: Duration = Duration::from_secs(1);

/// Serves the routes until `stop`, then takes no more connections and waits until the requests under
/// way are answered. A client that does not send the head of a request within `head` is cut off, also
/// between two requests: connections that say nothing must not use up what others need.
///
/// Upgraded connections are their handler's, and not waited for.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    head: Duration,
    stop: impl Future<Output = ()>,
) {
    let mut http = auto::Builder::new(TokioExecutor::new()).http1_only();
    http.http1().timer(TokioTimer::new()).header_read_timeout(head);
    let (connections, graceful) = (TaskTracker::new(), GracefulShutdown::new());
    let mut stop = pin!(stop);
    loop {
        let stream = tokio::select! {
            () = &mut stop => break,
            stream = accept(&listener) => stream,
        };
        let service =
            router.clone().map_request(|request: Request<Incoming>| request.map(Body::new));
        let (io, service) = (TokioIo::new(stream), TowerToHyperService::new(service));
        let connection = http.serve_connection_with_upgrades(io, service).into_owned();
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "a connection ended early");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
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
                tokio::time::sleep(NO_PLACE).await;
            }
        }
    }
}

/// Whether only this one connection failed.
fn went_away(error: &io::Error) -> bool {
    use ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset)
}
