//! The description of the REST interface, but for its routes: those describe themselves.

use utoipa::openapi::security::{HttpAuthScheme, HttpBuilder, SecurityScheme};
use utoipa::{Modify, OpenApi};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Chat Service API",
        version = "1.0.0",
        description = "API for the chat application backend service.",
        license(name = "Apache-2.0", identifier = "Apache-2.0")
    ),
    servers((url = "/v1")),
    tags(
        (name = "messages", description = "Operations related to chat messages."),
        (name = "rooms", description = "Rooms, and who is in them."),
        (name = "presence", description = "Who is online."),
        (name = "users", description = "People, as others see them."),
    ),
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

/// The description of no route.
pub(super) fn of_no_route() -> utoipa::openapi::OpenApi {
    Description::openapi()
}
