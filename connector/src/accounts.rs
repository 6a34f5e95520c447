//! The role `accounts`: the pages on which people see to their account. So far they have a health check.

use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::IntoResponse;
use axum::routing::get;
use axum::{Json, Router};
use serde_json::json;
use service_process::admin::Readiness;
use service_process::lifecycle::Tasks;
use service_process::listener::Listener;

/// Serves until a stop has let the requests under way finish.
pub fn serve(listener: Listener, readiness: Readiness, tasks: &Tasks) {
    let stop = tasks.stopping().clone().cancelled_owned();
    let aborting = tasks.aborting().clone();
    tasks.worker("accounts", async move {
        aborting.run_until_cancelled(listener.serve(router(readiness), stop)).await;
        Ok(())
    });
}

/// Every route there is.
fn router(readiness: Readiness) -> Router {
    Router::new()
        .route("/accounts/healthz", get(healthz))
        .fallback(|| async { problem(StatusCode::NOT_FOUND, "no-such-path", "No such path") })
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
        })
        .with_state(readiness)
}

/// `GET /accounts/healthz`, for load balancers: whether the database answers. Details are the admin
/// port's.
async fn healthz(State(readiness): State<Readiness>) -> (StatusCode, &'static str) {
    if readiness.is_ready() {
        (StatusCode::OK, "ok\n")
    } else {
        (StatusCode::SERVICE_UNAVAILABLE, "the database does not answer\n")
    }
}

/// Problem details, RFC 9457.
fn problem(status: StatusCode, name: &str, title: &str) -> impl IntoResponse {
    let kind = format!("urn:problem-type:accounts:{name}");
    let body = json!({ "type": kind, "title": title, "status": status.as_u16() });
    (status, [(header::CONTENT_TYPE, "application/problem+json")], Json(body))
}
