//! The description of the REST interface.

use axum::Json;
use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

use super::messages;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Chat Service API",
        version = "1.0.0",
        description = "API for the chat application backend service.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/v1")),
    tags((name = "messages", description = "Operations related to chat messages.")),
    paths(messages::list, messages::one, messages::send),
    modifiers(&BearerAuth)
)]
struct Description;

struct BearerAuth;

impl Modify for BearerAuth {
    fn modify(&self, description: &mut utoipa::openapi::OpenApi) {
        let scheme = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).bearer_format("JWT").build();
        let components = description.components.get_or_insert_default();
        components.add_security_scheme("bearerAuth", SecurityScheme::Http(scheme));
    }
}

/// `GET /v1/openapi.json`.
pub(super) async fn document() -> Json<utoipa::openapi::OpenApi> {
    Json(description())
}

/// The description itself.
#[must_use]
pub fn description() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
