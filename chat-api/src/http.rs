//! REST: the routes, what comes in, what goes out.

mod body;
mod caller;
mod header;
mod openapi;
mod parameters;
pub mod problem;
mod refused;
mod routes;
mod trace;
mod visitor;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::any;
use http::header::{AUTHORIZATION, CONTENT_TYPE, LINK, RETRY_AFTER};
use http::{HeaderValue, Method};
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::service::Service;
use problem::Problem;

pub use routes::description;

/// How long a browser may remember what it is allowed.
const PREFLIGHT_MAX_AGE: Duration = Duration::from_mins(10);

/// Every route there is.
pub fn router(service: Arc<Service>) -> Router {
    let routes = routes::all(&service)
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() });
    let nothing = any(no_such_path);
    let (routes, nothing) = if service.allowed_origins.is_empty() {
        // Every layer costs every request something, and this one would allow nothing.
        (routes, nothing)
    } else {
        let cors = cors(&service.allowed_origins);
        // A page may read why, whatever it asked; but there is nothing to be allowed where nothing is.
        (routes.layer(cors.clone()), nothing.layer(cors).options(no_such_path))
    };
    routes.fallback_service(nothing).with_state(service)
}

async fn no_such_path() -> Problem {
    Problem::no_such_path()
}

/// Which pages of other origins may call. Others get no permission, and their browser refuses.
fn cors(origins: &[HeaderValue]) -> CorsLayer {
    CorsLayer::new()
        .allow_origin(AllowOrigin::list(origins.iter().cloned()))
        .allow_methods([Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE])
        .allow_headers([
            AUTHORIZATION,
            CONTENT_TYPE,
            header::IDEMPOTENCY_KEY,
            header::X_AFTER,
            header::TRACEPARENT,
            header::TRACESTATE,
        ])
        .expose_headers([LINK, RETRY_AFTER, header::X_CURSOR])
        .max_age(PREFLIGHT_MAX_AGE)
}
