//! `/v1/ws`: from a request to a socket.

use std::sync::Arc;

use axum::extract::{Request, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use hyper::upgrade::OnUpgrade;
use service_process::listener::Peer;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::auth;
use crate::http::problem::Problem;
use crate::service::Service;
use crate::session::{Arrival, Session};
use crate::ws::frame::SUBPROTOCOL;
use crate::ws::socket;
use crate::ws::wire::Wire;

/// How a browser, which cannot set headers, names its token among the subprotocols.
const BEARER_SUBPROTOCOL: &str = "bearer.";
/// The one version of the protocol (RFC 6455 §4.1).
const VERSION: HeaderValue = HeaderValue::from_static("13");
const WEBSOCKET: HeaderValue = HeaderValue::from_static("websocket");
const UPGRADE: HeaderValue = HeaderValue::from_static("Upgrade");

/// `GET /v1/ws`.
pub(super) async fn upgrade(State(service): State<Arc<Service>>, mut request: Request) -> Response {
    let accept = match accept(&request) {
        Ok(accept) => accept,
        Err(refusal) => return refusal.into_response(),
    };
    let Some(upgrade) = request.extensions_mut().remove::<OnUpgrade>() else {
        return HandshakeError::NotAHandshake.into_response();
    };
    let headers = request.headers();
    if !is_allowed_origin(&service, headers) {
        return Problem::foreign_origin().into_response();
    }
    let peer = request.extensions().get::<Peer>().map(|Peer(address)| *address);
    let network = service.guests.network_of(peer, headers);
    let arrival = Arrival { token: token(headers), network };
    // Counted from here on, so that a stop waits for this socket too.
    service.open_sockets.clone().spawn(async move {
        let upgraded = match upgrade.await {
            Ok(upgraded) => upgraded,
            Err(error) => {
                return tracing::debug!(%error, "a client was gone before its socket was open");
            }
        };
        let Ok(wire) = Wire::of(upgraded) else {
            return tracing::error!("a socket was opened at a listener that is not ours");
        };
        let line = Arc::clone(wire.line());
        let socket = socket::of(wire, service.frames).await;
        Session::new(service, socket, line).run(arrival).await;
    });
    let headers = [
        (header::CONNECTION, UPGRADE),
        (header::UPGRADE, WEBSOCKET),
        (header::SEC_WEBSOCKET_ACCEPT, accept),
        (header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(SUBPROTOCOL)),
    ];
    (StatusCode::SWITCHING_PROTOCOLS, headers).into_response()
}

/// Why a request opens no socket.
enum HandshakeError {
    NotAHandshake,
    Version,
    Subprotocol,
}

impl HandshakeError {
    fn into_response(self) -> Response {
        match self {
            Self::NotAHandshake => Problem::not_a_handshake(
                StatusCode::BAD_REQUEST,
                "a WebSocket handshake (RFC 6455) is expected here",
            )
            .into_response(),
            Self::Subprotocol => Problem::not_a_handshake(
                StatusCode::BAD_REQUEST,
                "the subprotocol chat.v1 must be among those that are offered",
            )
            .about("Sec-WebSocket-Protocol")
            .into_response(),
            // RFC 6455 §4.4 and RFC 9110 §15.5.22: say which version there is.
            Self::Version => {
                let problem = Problem::not_a_handshake(
                    StatusCode::UPGRADE_REQUIRED,
                    "the only version of the WebSocket protocol is 13",
                );
                let headers = [
                    (header::CONNECTION, UPGRADE),
                    (header::UPGRADE, WEBSOCKET),
                    (header::SEC_WEBSOCKET_VERSION, VERSION),
                ];
                (headers, problem.about("Sec-WebSocket-Version")).into_response()
            }
        }
    }
}

/// The answer to the key of a handshake (RFC 6455 §4.2).
fn accept(request: &Request) -> Result<HeaderValue, HandshakeError> {
    let headers = request.headers();
    let is_handshake = request.method() == Method::GET
        && values(headers, header::CONNECTION).any(|value| value.eq_ignore_ascii_case("upgrade"))
        && values(headers, header::UPGRADE).any(|value| value.eq_ignore_ascii_case("websocket"));
    if !is_handshake {
        return Err(HandshakeError::NotAHandshake);
    }
    if headers.get(header::SEC_WEBSOCKET_VERSION) != Some(&VERSION) {
        return Err(HandshakeError::Version);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes);
    let key = key.filter(|key| STANDARD.decode(key).is_ok_and(|nonce| nonce.len() == 16));
    let key = key.ok_or(HandshakeError::NotAHandshake)?;
    if !values(headers, header::SEC_WEBSOCKET_PROTOCOL).any(|offered| offered == SUBPROTOCOL) {
        return Err(HandshakeError::Subprotocol);
    }
    let accept = derive_accept_key(key);
    Ok(HeaderValue::try_from(accept).expect("base64 is plain ASCII"))
}

/// The members of a list, in all headers of that name. What is no text is none of ours.
fn values(headers: &HeaderMap, name: HeaderName) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(name).into_iter();
    lines.filter_map(|line| line.to_str().ok()).flat_map(|line| line.split(',')).map(str::trim)
}

/// Browsers send the origin of the page; others send none and are held by their token alone.
fn is_allowed_origin(service: &Service, headers: &HeaderMap) -> bool {
    match headers.get(header::ORIGIN) {
        Some(origin) => service.allowed_origins.contains(origin),
        None => true,
    }
}

fn token(headers: &HeaderMap) -> Option<String> {
    if let Some(header) = headers.get(header::AUTHORIZATION) {
        // A header that is no bearer token is a bad token, not a missing one.
        let token = header.to_str().ok().and_then(auth::bearer);
        return Some(token.unwrap_or_default().to_owned());
    }
    let mut offered = values(headers, header::SEC_WEBSOCKET_PROTOCOL);
    offered.find_map(|protocol| protocol.strip_prefix(BEARER_SUBPROTOCOL)).map(str::to_owned)
}
