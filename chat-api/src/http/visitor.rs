//! Whoever a request comes from: a person, or a guest.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;
use service_process::listener::Peer;

use super::problem::Problem;
use crate::auth::{AuthError, Caller};
use crate::service::Service;
use crate::visitor::Visitor;

impl FromRequestParts<Arc<Service>> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Problem> {
        // Whoever shows a token means to be somebody, and is to hear that it does not pass.
        if parts.headers.contains_key(header::AUTHORIZATION) {
            let caller = Caller::from_request_parts(parts, service).await?;
            return Ok(Self::Person(caller.author.user_id));
        }
        let peer = parts.extensions.get::<Peer>().map(|Peer(address)| *address);
        let network = service.guests.network_of(peer, &parts.headers);
        Ok(Self::Guest(network.ok_or(AuthError::Missing)?))
    }
}
