//! Errors of HTTP as problem details (RFC 9457), as every service of ours answers them.
//!
//! Here is what all problems have in common. Which ones there are, their names and words, and what they say
//! beyond the standard's members belong to each service: it writes a type that serializes to the body.

use std::fmt;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use serde::{Serialize, Serializer};

/// The media type of a problem, RFC 9457 §3.
const MEDIA_TYPE: HeaderValue = HeaderValue::from_static("application/problem+json");

/// The member `type`, RFC 9457 §3.1.1: `urn:problem-type:SERVICE:NAME`. It does not change; clients tell
/// problems apart by it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProblemType {
    /// The service whose word it is, such as `chat`.
    pub service: &'static str,
    /// The problem's name in that service, in small letters and hyphens.
    pub name: &'static str,
}

impl fmt::Display for ProblemType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:problem-type:{}:{}", self.service, self.name)
    }
}

impl Serialize for ProblemType {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The answer with a problem as its body. What `problem` holds is sent as it is: never text of an error
/// that was not written for clients.
///
/// # Panics
/// When the problem does not serialize to JSON: plain data with text as keys always does.
#[must_use]
pub fn response(status: StatusCode, problem: &impl Serialize) -> Response {
    let body = serde_json::to_vec(problem).expect("a problem is plain data with text keys");
    let mut response = (status, body).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, MEDIA_TYPE);
    // RFC 9110 §15.5.9: what may still come is not waited for.
    if status == StatusCode::REQUEST_TIMEOUT {
        headers.insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    response
}

#[cfg(test)]
#[path = "problem_tests.rs"]
mod tests;
