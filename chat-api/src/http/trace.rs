//! A request in its trace.

use axum::extract::{MatchedPath, Request};
use axum::middleware::Next;
use axum::response::Response;
use service_process::telemetry::TRACED;
use service_process::trace_context;
use tracing::field::Empty;
use tracing::{Instrument as _, info_span};

/// Answers in a span that is a child of the caller's, if the caller says which. It tells the route and
/// the status: neither who asked nor for what.
pub(super) async fn traced(request: Request, next: Next) -> Response {
    let (method, route) = (request.method(), request.extensions().get::<MatchedPath>());
    let route = route.map_or("", MatchedPath::as_str);
    // The names are those of OpenTelemetry's semantic conventions for HTTP.
    let span = info_span!(
        target: TRACED,
        "request",
        otel.name = format!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
    );
    trace_context::adopt_headers(&span, request.headers());
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    response
}
