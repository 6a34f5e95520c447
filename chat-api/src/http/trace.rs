//! A request in its trace.

use std::sync::Arc;

use axum::extract::{MatchedPath, Request, State};
use axum::middleware::Next;
use axum::response::Response;
use http::Method;
use service_process::telemetry::{self, TRACED};
use service_process::trace_context;
use tracing::field::Empty;
use tracing::{Instrument as _, Span, info_span};

use crate::service::Service;

/// Whether anybody sees the spans: a collector, or the log, whose lines name the one that they are in.
pub(super) fn are_seen() -> bool {
    telemetry::spans_are_exported() || !span(&Method::GET, "").is_disabled()
}

/// Answers in a span. It tells the route and the status: neither who asked nor for what. It is a child
/// of the caller's, if the caller says which and is believed: that is decided before anybody knows who
/// calls, because a span's trace cannot be changed once it has begun.
pub(super) async fn traced(
    State(service): State<Arc<Service>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>();
    let span = span(request.method(), route.map_or("", MatchedPath::as_str));
    if service.trusts_traceparent && telemetry::spans_are_exported() {
        trace_context::adopt_headers(&span, request.headers());
    }
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}

fn span(method: &Method, route: &str) -> Span {
    // The names are those of OpenTelemetry's semantic conventions for HTTP.
    info_span!(
        target: TRACED,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
    )
}
