//! Refusals as problem details (RFC 9457).

use std::time::Duration;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use service_process::problem::{self, ProblemType};
use utoipa::ToSchema;

use super::answer::{Answer, seconds};

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
}

impl Problem {
    /// A problem of which its title says all.
    pub(super) fn new(status: StatusCode, name: &'static str, title: &'static str) -> Self {
        let r#type = ProblemType { service: "accounts", name };
        Self { r#type, title, status: status.as_u16(), detail: None, retry_after: None }
    }

    /// What `detail` tells to people.
    pub(super) fn told(answer: Answer, detail: Option<String>) -> Self {
        let Answer { status, name, title, retry_after } = answer;
        Self { detail, retry_after, ..Self::new(status, name, title) }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = problem::response(status, &self);
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, seconds(after));
        }
        response
    }
}
