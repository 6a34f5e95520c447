//! The way in bare: HTTP and the check of the token, as chat-api has them, and nothing behind.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use dex_tokens::{Verifier, VerifierConfig};
use http::{HeaderMap, StatusCode, header};
use service_process::sources::Sources;
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use super::log::id;

struct BareService {
    verifier: Verifier,
    accepted: AtomicU64,
}

/// Serves until it is killed.
pub(super) async fn serve(listen: SocketAddr, issuer: &str) -> Result<String> {
    let (verifier, fetcher) = Verifier::new(
        VerifierConfig::new(issuer, super::tokens::AUDIENCE)?,
        Sources::system().now,
    )?;
    let mut tasks = JoinSet::new();
    tasks.spawn(fetcher.run(std::future::pending()));
    let service = Arc::new(BareService { verifier, accepted: AtomicU64::new(0) });
    let router = Router::new()
        .route("/v1/messages", post(accept))
        .route("/ready", get(async || "ready"))
        .with_state(service);
    let listener = TcpListener::bind(listen).await.context("the address is taken")?;
    // As chat-api has it. A connection without it is slower, not wrong.
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    axum::serve(listener, router).await?;
    Ok(String::new())
}

async fn accept(
    State(service): State<Arc<BareService>>,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let header = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let token = header.and_then(|header| header.strip_prefix("Bearer ")).unwrap_or_default();
    if body.is_empty() || service.verifier.verify(token).await.is_err() {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    let id = id(service.accepted.fetch_add(1, Ordering::Relaxed));
    let answer = format!(
        r#"{{"message_id":"{id}","status":"enqueued","room_id":"lobby","cursor":"AAAAHgAAAAAAAAAp"}}"#
    );
    (StatusCode::ACCEPTED, [(header::CONTENT_TYPE, "application/json")], answer).into_response()
}
