//! From a request to a socket.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::ws::{WebSocket, WebSocketUpgrade};
use axum::response::{IntoResponse as _, Response};
use http::{HeaderMap, header};

use super::frame::{MAX_BYTES, SUBPROTOCOL};
use crate::auth;
use crate::http::problem::Problem;
use crate::service::Service;
use crate::session::Session;

/// The default of 128 KiB stays with every idle socket, and is filled with zeros each time one looks.
/// What people type fits this; a longer frame is read in several goes.
const READ_BUFFER: usize = 2048;
/// How a browser, which cannot set headers, names its token among the subprotocols.
const BEARER_SUBPROTOCOL: &str = "bearer.";

/// `GET /v1/ws`.
pub async fn upgrade(
    State(service): State<Arc<Service>>,
    headers: HeaderMap,
    socket: Result<WebSocketUpgrade, axum::extract::ws::rejection::WebSocketUpgradeRejection>,
) -> Response {
    let socket = match socket {
        Ok(socket) => socket,
        Err(rejection) => return Problem::not_an_upgrade(rejection.status()).into_response(),
    };
    if !is_allowed_origin(&service, &headers) {
        return Problem::foreign_origin().into_response();
    }
    let token = token(&headers, &socket);
    // Counted from here on, so that a stop waits for this socket too.
    let place = service.open_sockets.token();
    socket
        .protocols([SUBPROTOCOL])
        .read_buffer_size(READ_BUFFER)
        .max_frame_size(MAX_BYTES)
        .max_message_size(MAX_BYTES)
        .on_upgrade(move |socket: WebSocket| async move {
            Session::new(service, socket).run(token).await;
            drop(place);
        })
}

/// Browsers send the origin of the page; others send none and are held by their token alone.
fn is_allowed_origin(service: &Service, headers: &HeaderMap) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => service.allowed_origins.contains(origin),
        None => true,
    }
}

fn token(headers: &HeaderMap, socket: &WebSocketUpgrade) -> Option<String> {
    if let Some(header) = headers.get(header::AUTHORIZATION) {
        // A header that is no bearer token is a bad token, not a missing one.
        let token = header.to_str().ok().and_then(auth::bearer);
        return Some(token.unwrap_or_default().to_owned());
    }
    let mut protocols = socket.requested_protocols().filter_map(|value| value.to_str().ok());
    protocols.find_map(|protocol| protocol.strip_prefix(BEARER_SUBPROTOCOL)).map(str::to_owned)
}
