//! The role `accounts`: what people do about their account. Its pages have a health check so far; the flows
//! that they will lead through are [`Flows`].

mod flows;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use serde::Serialize;
use service_process::admin::Readiness;
use service_process::lifecycle::Tasks;
use service_process::listener::Listener;
use service_process::problem::{self, ProblemType};

pub use flows::{FlowRequest, Flows, NotBegun};

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
        .fallback(|| async { refuse(StatusCode::NOT_FOUND, "no-such-path", "No such path") })
        .method_not_allowed_fallback(|| async {
            refuse(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", "Method not allowed")
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

/// The members of a problem (RFC 9457 §3.1). Its title says all there is to say.
#[derive(Serialize)]
struct Problem {
    r#type: ProblemType,
    title: &'static str,
    status: u16,
}

fn refuse(status: StatusCode, name: &'static str, title: &'static str) -> Response {
    let r#type = ProblemType { service: "accounts", name };
    problem::response(status, &Problem { r#type, title, status: status.as_u16() })
}
