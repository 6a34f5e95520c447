//! The cookie by which a browser knows its flow.

use axum::http::{HeaderMap, HeaderValue, header};
use chrono::TimeDelta;

use crate::flow::FlowToken;

/// Its name: browsers take it only over TLS (or on localhost), for this host alone, and show it to no script
/// (RFC 6265bis §4.1.3).
const NAME: &str = "__Host-Http-accounts-flow";

/// The flow that a request is of. Two cookies of the name are none: one of them is somebody else's.
pub(super) fn flow(headers: &HeaderMap) -> Option<FlowToken> {
    let pairs = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut values = pairs
        .flat_map(|pairs| pairs.split(';'))
        .filter_map(|pair| pair.trim().strip_prefix(NAME)?.strip_prefix('='));
    let value = values.next()?;
    if values.next().is_some() { None } else { FlowToken::parse(value) }
}

/// Has the browser keep a flow for so long. Sent with links from elsewhere, too (`Lax`): a mail program's
/// window leads back.
pub(super) fn keep(token: &FlowToken, life: TimeDelta) -> HeaderValue {
    cookie(&token.expose(), life.num_seconds())
}

/// Has the browser forget its flow.
pub(super) fn forget() -> HeaderValue {
    cookie("", 0)
}

fn cookie(value: &str, seconds: i64) -> HeaderValue {
    let text = format!("{NAME}={value}; Max-Age={seconds}; Path=/; Secure; HttpOnly; SameSite=Lax");
    HeaderValue::try_from(text).expect("a token is base64url")
}
