//! For load balancers at the public port. Details are the admin port's.

use std::sync::Arc;

use axum::extract::State;
use http::StatusCode;

use crate::service::Service;

/// `GET /v1/healthz`: the process answers.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// `GET /v1/readyz`: it may be given work.
pub(super) async fn readyz(State(service): State<Arc<Service>>) -> (StatusCode, &'static str) {
    if service.readiness.is_ready() && !service.leaving.is_cancelled() {
        (StatusCode::OK, "ready\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "not ready\n")
    }
}
