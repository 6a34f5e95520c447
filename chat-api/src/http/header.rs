//! Headers of this interface's own.

use http::{HeaderMap, HeaderName, HeaderValue};

use super::problem::Problem;
use crate::message::{Cursor, IdempotencyKey, Invalid};

/// The name of a send, so that sending it again says it once.
pub(super) const IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// The answer is to include everything up to this cursor.
pub(super) const X_AFTER: HeaderName = HeaderName::from_static("x-after");
/// Which trace a request belongs to (W3C Trace Context), so that a page of another origin may say it.
pub(super) const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
/// What tracing systems want to be passed on with it.
pub(super) const TRACESTATE: HeaderName = HeaderName::from_static("tracestate");
/// Up to where the history in the answer goes: what comes after this cursor is the socket's.
pub(super) const X_CURSOR: HeaderName = HeaderName::from_static("x-cursor");

/// The key of a send, if it has one.
pub(super) fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    parse(headers, &IDEMPOTENCY_KEY, "Idempotency-Key", IdempotencyKey::parse)
}

/// What the answer is to include, if the caller wants something.
pub(super) fn after(headers: &HeaderMap) -> Result<Option<Cursor>, Problem> {
    parse(headers, &X_AFTER, "X-After", Cursor::parse)
}

fn parse<T>(
    headers: &HeaderMap,
    name: &HeaderName,
    shown: &'static str,
    parse: fn(&str) -> Result<T, Invalid>,
) -> Result<Option<T>, Problem> {
    let mut values = headers.get_all(name).iter();
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::invalid_header(shown, "it is there more than once"));
    }
    // What is no text is no valid value of any of them either.
    let value = parse(value.to_str().unwrap_or_default());
    value.map(Some).map_err(|error| Problem::invalid_header(shown, error.to_string()))
}

/// The text as the value of a header: text of ours, which is visible ASCII.
pub(super) fn value(text: &str) -> HeaderValue {
    HeaderValue::from_str(text).expect("room ids and cursors are plain ASCII")
}
