//! A request whose body is a JSON object.

use std::sync::Arc;

use axum::body::to_bytes;
use axum::extract::{FromRequest, Request};
use axum::response::IntoResponse as _;
use axum::response::Response;
use http::{HeaderMap, HeaderValue, header};
use tokio::time::timeout;

use super::problem::Problem;
use crate::message::{Content, Fields};
use crate::service::Service;

/// The largest body that is read.
const MAX_BYTES: usize = Content::MAX_JSON_BYTES;

/// The members of the object, and the request's headers: of a request that is taken apart they need not be
/// copied.
pub(super) struct JsonRequest {
    pub(super) headers: HeaderMap,
    pub(super) fields: Fields,
}

impl FromRequest<Arc<Service>> for JsonRequest {
    type Rejection = Response;

    async fn from_request(request: Request, service: &Arc<Service>) -> Result<Self, Response> {
        let (parts, body) = request.into_parts();
        let headers = parts.headers;
        let media_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        if !media_type.is_some_and(is_json) {
            return Err(Problem::unsupported_media_type().into_response());
        }
        if headers.get_all(header::CONTENT_ENCODING).iter().any(is_encoded) {
            return Err(Problem::unsupported_encoding().into_response());
        }
        let bytes = timeout(service.timeouts.body, to_bytes(body, MAX_BYTES)).await;
        let bytes = bytes.map_err(|_| Problem::slow_body().into_response())?.map_err(|error| {
            let over_limit = std::error::Error::source(&error)
                .is_some_and(<dyn std::error::Error>::is::<http_body_util::LengthLimitError>);
            let problem = if over_limit {
                Problem::body_too_large(MAX_BYTES)
            } else {
                Problem::unreadable_body()
            };
            problem.into_response()
        })?;
        match Fields::parse(&bytes) {
            Ok(fields) => Ok(Self { headers, fields }),
            Err(error) => Err(Problem::from(error).into_response()),
        }
    }
}

/// RFC 9110 §8.4: a list of codings. None of them is spoken here: what is small on the way may be large
/// when it is unpacked.
fn is_encoded(codings: &HeaderValue) -> bool {
    let codings = codings.to_str().unwrap_or("unreadable");
    let mut codings = codings.split(',').map(str::trim).filter(|coding| !coding.is_empty());
    !codings.all(|coding| coding.eq_ignore_ascii_case("identity"))
}

/// RFC 9110 §8.3.1: parameters follow a semicolon, and case does not count.
fn is_json(media_type: &str) -> bool {
    let essence = media_type.split(';').next().unwrap_or_default().trim();
    essence.eq_ignore_ascii_case("application/json")
}
