//! The person a request comes from.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::header;
use http::request::Parts;

use super::problem::Problem;
use crate::auth::{self, AuthError, Caller};
use crate::service::Service;

impl FromRequestParts<Arc<Service>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(
        parts: &mut Parts,
        service: &Arc<Service>,
    ) -> Result<Self, Problem> {
        let header = parts.headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let token = header.and_then(auth::bearer).ok_or(AuthError::Missing)?;
        Ok(auth::authenticate(&service.verifier, &service.people, token).await?)
    }
}
