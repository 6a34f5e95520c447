//! Every route there is, once: a route that is described has its path and its methods from its
//! description.

mod health;
mod messages;
mod presence;
mod rooms;
mod socket;
mod users;

use std::future::ready;
use std::sync::Arc;

use axum::middleware::from_fn_with_state;
use axum::routing::get;
use axum::{Json, Router};
use utoipa::openapi::OpenApi;
use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouter};
use utoipa_axum::routes;

use super::{openapi, trace};
use crate::service::Service;

/// Every route. Each has its whole path: a router that is nested in another changes every request's.
pub(super) fn all(service: &Arc<Service>) -> Router<Arc<Service>> {
    let description = Arc::new(description());
    let others = Router::new()
        .route("/v1/openapi.json", get(move || ready(Json(Arc::clone(&description)))))
        .route("/v1/ws", get(socket::upgrade))
        .route("/v1/healthz", get(health::healthz))
        .route("/v1/readyz", get(health::readyz));
    let traced = from_fn_with_state(Arc::clone(service), trace::traced);
    // The layer costs every request something, even one whose span nobody sees.
    let are_seen = trace::are_seen();
    described().into_iter().fold(others, |router, (_, paths, methods)| {
        let methods = if are_seen { methods.route_layer(traced.clone()) } else { methods };
        let paths = paths.paths.keys().map(|path| format!("/v1{path}"));
        paths.fold(router, |router, path| router.route(&path, methods.clone()))
    })
}

/// What `GET /v1/openapi.json` answers.
#[must_use]
pub fn description() -> OpenApi {
    let of_no_route = OpenApiRouter::with_openapi(openapi::of_no_route());
    described().into_iter().fold(of_no_route, OpenApiRouter::routes).into_openapi()
}

/// The routes that are described, with their paths below `/v1`.
fn described() -> [UtoipaMethodRouter<Arc<Service>>; 16] {
    [
        routes!(messages::list, messages::send),
        routes!(messages::one, messages::changes::edit, messages::changes::delete),
        routes!(messages::versions::versions),
        routes!(messages::changes::react, messages::changes::take_back),
        routes!(rooms::mine::list, rooms::create),
        routes!(rooms::one, rooms::set, rooms::delete),
        routes!(rooms::members::list),
        routes!(rooms::members::put, rooms::members::end),
        routes!(rooms::markers::put),
        routes!(rooms::markers::list),
        routes!(rooms::direct),
        routes!(messages::changes::pin, messages::changes::unpin),
        routes!(presence::online),
        routes!(presence::of_room),
        routes!(users::list),
        routes!(users::me),
    ]
}
