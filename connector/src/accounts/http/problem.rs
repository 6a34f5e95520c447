//! Refusals as problem details (RFC 9457).

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use service_process::problem::{self, ProblemType};
use utoipa::ToSchema;

use super::answer::{Answer, seconds};
use super::body::BadJson;

/// The most characters of a name that is repeated: whoever calls typed it.
const MOST_NAMED: usize = 64;

/// Why something was not done.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Problem {
    /// `urn:problem-type:accounts:NAME`; problems are told apart by it.
    #[schema(value_type = String)]
    r#type: ProblemType,
    /// What kind of problem it is.
    title: &'static str,
    /// The status of the answer.
    status: u16,
    /// What people are told, in the language that they asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<String>,
    #[serde(skip)]
    retry_after: Option<Duration>,
    #[serde(skip)]
    challenge: Option<&'static str>,
}

impl Problem {
    /// A problem of which its title says all.
    pub(super) fn new(status: StatusCode, name: &'static str, title: &'static str) -> Self {
        let r#type = ProblemType { service: "accounts", name };
        let (status, detail) = (status.as_u16(), None);
        Self { r#type, title, status, detail, retry_after: None, challenge: None }
    }

    /// A parameter of the address cannot be that, or there is no such.
    pub(super) fn parameter(name: &str) -> Self {
        let name: String = name.chars().filter(|c| !c.is_control()).take(MOST_NAMED).collect();
        let detail = Some(format!("the parameter `{name}`"));
        let problem = Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", "Invalid parameter");
        Self { detail, ..problem }
    }

    /// How to sign in: the value of `WWW-Authenticate` (RFC 9110 §11.6.1).
    pub(super) fn challenging(self, challenge: &'static str) -> Self {
        Self { challenge: Some(challenge), ..self }
    }

    /// What `detail` tells to people.
    pub(super) fn told(answer: Answer, detail: Option<String>) -> Self {
        let Answer { status, name, title, retry_after } = answer;
        Self { detail, retry_after, ..Self::new(status, name, title) }
    }
}

impl From<BadJson> for Problem {
    fn from(BadJson { fault, field }: BadJson) -> Self {
        Self::told(fault.into(), field)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = problem::response(status, &self);
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds(after));
        }
        if let Some(challenge) = self.challenge {
            let challenge = HeaderValue::from_static(challenge);
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
