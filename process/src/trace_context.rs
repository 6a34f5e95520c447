//! Which trace a call belongs to, between processes: W3C Trace Context, `traceparent` and
//! `tracestate`.
//!
//! Both directions speak pairs of strings, which HTTP, gRPC and Kafka headers all are. What is
//! malformed is ignored, as the recommendation asks: the span then begins a trace of its own.

use std::collections::HashMap;

use axum::http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry::Context;
use opentelemetry::propagation::TextMapPropagator as _;
use opentelemetry::trace::TraceContextExt as _;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes `span` a child of the remote span that these headers name. Call it before the span is
/// entered.
pub fn adopt<'a>(span: &Span, headers: impl IntoIterator<Item = (&'a str, &'a str)>) {
    let propagator = TraceContextPropagator::new();
    let mut joined: HashMap<String, String> = HashMap::new();
    for (name, value) in headers {
        let Some(name) = propagator.fields().find(|field| name.eq_ignore_ascii_case(field)) else {
            continue;
        };
        // A `tracestate` may come in several lines that are one list. A second `traceparent` is
        // against the rules, and joined it is no longer well-formed.
        joined
            .entry(name.to_owned())
            .and_modify(|line| *line = format!("{line},{value}"))
            .or_insert_with(|| value.to_owned());
    }
    let remote = propagator.extract_with_context(&Context::new(), &joined);
    if remote.span().span_context().is_valid() {
        // Fails when traces are off: there is then nothing to tell about.
        let _ = span.set_parent(remote);
    }
}

/// [`adopt`] for the headers of an HTTP request or the metadata of a gRPC call.
pub fn adopt_headers(span: &Span, headers: &HeaderMap) {
    let text = headers.iter().map(|(name, value)| (name.as_str(), value.to_str()));
    adopt(span, text.filter_map(|(name, value)| Some((name, value.ok()?))));
}

/// The headers that make a call a child of `span` at the far end. None when traces are off.
#[must_use]
pub fn headers_of(span: &Span) -> Vec<(String, String)> {
    let mut headers = HashMap::new();
    TraceContextPropagator::new().inject_context(&span.context(), &mut headers);
    headers.into_iter().filter(|(_, value)| !value.is_empty()).collect()
}

/// Adds [`headers_of`] to an HTTP request or the metadata of a gRPC call.
pub fn write_headers(span: &Span, headers: &mut HeaderMap) {
    for (name, value) in headers_of(span) {
        // Both are of the alphabet that was parsed or made here.
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            headers.insert(name, value);
        }
    }
}

#[cfg(test)]
#[path = "trace_context_tests.rs"]
mod tests;
