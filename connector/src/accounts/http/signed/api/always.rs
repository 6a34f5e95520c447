//! What every call of who is signed in may be answered with, for the description.

use std::collections::BTreeMap;

use utoipa::IntoResponses;
use utoipa::openapi::content::ContentBuilder;
use utoipa::openapi::{Ref, RefOr, Response, ResponseBuilder};

/// The answers of every call that takes a token or the cookie of who is signed in. A call that says something else of
/// one of them says so after it.
pub(super) struct Always;

impl IntoResponses for Always {
    fn responses() -> BTreeMap<String, RefOr<Response>> {
        let problem = |description: &str| {
            let body = ContentBuilder::new().schema(Some(Ref::from_schema_name("Problem"))).build();
            let described = ResponseBuilder::new().description(description);
            RefOr::T(described.content("application/problem+json", body).build())
        };
        BTreeMap::from([
            ("401".to_owned(), problem("Nobody is signed in.")),
            ("429".to_owned(), problem("Too many requests come from the network.")),
            ("503".to_owned(), problem("Not at the moment.")),
        ])
    }
}
