//! The cookie by which a browser knows its flow.

use axum::http::{HeaderMap, HeaderValue};
use chrono::TimeDelta;
use dex_session::CookieName;

use crate::flow::FlowToken;

const COOKIE: CookieName = CookieName::new("__Host-Http-accounts-flow");

/// The flow that a request is of. What is not one of our cookies is none.
pub(super) fn flow(headers: &HeaderMap) -> Option<FlowToken> {
    COOKIE.read(headers).ok().flatten().and_then(FlowToken::parse)
}

/// Has the browser keep a flow for so long.
pub(super) fn keep(token: &FlowToken, life: TimeDelta) -> HeaderValue {
    COOKIE.keep(&token.expose(), life)
}

/// Has the browser forget its flow.
pub(super) fn forget() -> HeaderValue {
    COOKIE.forget()
}
