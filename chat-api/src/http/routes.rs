//! Every route there is, once: a route that is described has its path and its methods from its
//! description.

mod health;
mod messages;
mod socket;

use std::future::ready;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::routing::{MethodRouter, get};
use axum::{Json, Router};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt as _};
use utoipa_axum::routes;

use super::{openapi, trace};
use crate::service::Service;

/// Every route, below the path that all of them share.
pub(super) fn all(service: &Arc<Service>) -> Router<Arc<Service>> {
    let traced = from_fn_with_state(Arc::clone(service), trace::traced);
    // The layer costs every request something, even one whose span nobody sees.
    let are_seen = trace::are_seen();
    let described = described(|methods| {
        if are_seen { methods.route_layer(traced.clone()) } else { methods }
    });
    let (described, description) = described.split_for_parts();
    let description = Arc::new(description);
    described
        .route("/openapi.json", get(move || ready(Json(Arc::clone(&description)))))
        .route("/ws", get(socket::upgrade))
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
}

/// What `GET /v1/openapi.json` answers.
#[must_use]
pub fn description() -> OpenApi {
    described(|methods| methods).into_openapi()
}

/// The routes that are described. `wrap` puts around each what it runs in.
fn described(
    wrap: impl Fn(MethodRouter<Arc<Service>>) -> MethodRouter<Arc<Service>>,
) -> OpenApiRouter<Arc<Service>> {
    OpenApiRouter::with_openapi(openapi::of_no_route())
        .routes(routes!(messages::list, messages::send).map(&wrap))
        .routes(routes!(messages::one).map(&wrap))
}
