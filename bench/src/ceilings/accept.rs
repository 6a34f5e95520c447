//! The way in bare: HTTP and the check of the token, as chat-api has them, and nothing behind.

use std::net::SocketAddr;
use std::sync::Arc;

use anyhow::Result;
use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::handler::Handler;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use dex_tokens::{Verifier, VerifierConfig};
use http::{StatusCode, header};
use service_process::listener::bind;
use service_process::sources::Sources;
use tokio::task::JoinSet;
use uuid::Uuid;

/// As in chat-api, in bytes.
const BODY_MAX: usize = chat_api::message::Content::MAX_JSON_BYTES;

struct BareService {
    verifier: Verifier,
    sources: Sources,
}

/// Serves until it is killed.
pub(super) async fn serve(address: SocketAddr, issuer: &str) -> Result<String> {
    let (verifier, _fetching) = verifier(issuer)?;
    let service = BareService { verifier, sources: Sources::system() };
    listen(address, accept, Arc::new(service)).await?;
    Ok(String::new())
}

async fn accept(State(service): State<Arc<BareService>>, request: Request) -> Response {
    if !is_let_in(&service.verifier, request).await {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    accepted(new_id(service.sources))
}

/// What checks tokens of an issuer, and what fetches its keys for as long as it is not dropped.
pub(super) fn verifier(issuer: &str) -> Result<(Verifier, JoinSet<()>)> {
    let config = VerifierConfig::new(issuer, super::tokens::AUDIENCE)?;
    let (verifier, fetcher) = Verifier::new(config, Sources::system().now)?;
    let mut fetching = JoinSet::new();
    fetching.spawn(fetcher.run(std::future::pending()));
    Ok((verifier, fetching))
}

/// Serves `POST /v1/messages` by this handler until it is killed.
pub(super) async fn listen<S, T: 'static>(
    address: SocketAddr,
    handler: impl Handler<T, S>,
    service: S,
) -> Result<()>
where
    S: Clone + Send + Sync + 'static,
{
    let router = Router::new()
        .route("/v1/messages", post(handler))
        .route("/ready", get(async || "ready"))
        .with_state(service);
    let listener = bind("--listen", address)?;
    // As chat-api has it. A connection without it is slower, not wrong.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    Ok(axum::serve(listener, router).await?)
}

/// Whether a request has a token that is good, and a body.
pub(super) async fn is_let_in(verifier: &Verifier, request: Request) -> bool {
    let (parts, body) = request.into_parts();
    let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
    let has_body = to_bytes(body, BODY_MAX).await.is_ok_and(|body| !body.is_empty());
    has_body && verifier.verify(token).await.is_ok()
}

/// An id in the order of time, as chat-api's are.
pub(super) fn new_id(sources: Sources) -> Uuid {
    sources.id((sources.now)())
}

/// The answer to a message that gets this id.
pub(super) fn accepted(id: Uuid) -> Response {
    let answer = format!(
        r#"{{"message_id":"{id}","status":"enqueued","room_id":"lobby","cursor":"AAAAHgAAAAAAAAAp"}}"#
    );
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], answer).into_response()
}
