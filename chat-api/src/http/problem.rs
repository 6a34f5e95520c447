//! Errors as RFC 9457 problem details: a stable `type`, and what was wrong and where.

use axum::response::{IntoResponse, Response};
use http::{HeaderValue, StatusCode, header};
use serde::Serialize;
use service_process::problem::{self, ProblemType};
use utoipa::ToSchema;

use crate::archive::ReadError;
use crate::auth::AuthError;
use crate::lookup::LookupError;
use crate::message::MessageId;
use crate::room_loader::RoomError;

/// When to come back after an outage, in seconds: about as long as a broker or database takes to
/// elect another leader.
const AFTER_OUTAGE: HeaderValue = HeaderValue::from_static("5");
/// When to come back to what is only late, or said too fast: in less than this there is room again.
const SOON: HeaderValue = HeaderValue::from_static("1");

/// An error, as clients see it. Never holds internal text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct Problem {
    /// What kind of problem: `urn:problem-type:chat:` and a name that does not change.
    #[serde(rename = "type", serialize_with = "as_urn")]
    #[schema(value_type = String, format = "uri")]
    name: &'static str,
    /// The same for people.
    title: &'static str,
    /// The HTTP status.
    status: u16,
    /// What is wrong this time.
    detail: String,
    /// The fields, parameters or headers it is about.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) fields: Vec<String>,
    /// After an outage: `not_sent` if the message is surely not sent, `unknown` if it may be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) outcome: Option<&'static str>,
    /// The id of the message whose outcome is unknown.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    pub(super) message_id: Option<MessageId>,
}

fn as_urn<S: serde::Serializer>(name: &&'static str, serializer: S) -> Result<S::Ok, S::Error> {
    ProblemType { service: "chat", name }.serialize(serializer)
}

impl Problem {
    pub(super) fn new(
        status: StatusCode,
        name: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let (detail, status) = (detail.into(), status.as_u16());
        Self { name, title, status, detail, fields: Vec::new(), outcome: None, message_id: None }
    }

    /// Names a field, parameter or header that it is about.
    #[must_use]
    pub(super) fn about(mut self, field: impl Into<String>) -> Self {
        self.fields.push(field.into());
        self
    }

    pub(super) fn no_such_path() -> Self {
        Self::new(StatusCode::NOT_FOUND, "no-such-path", "No such path", "nothing is served here")
    }

    pub(super) fn method_not_allowed() -> Self {
        let detail = "this path does not know this method";
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "Method not allowed",
            detail,
        )
    }

    /// The request for a socket is no WebSocket handshake of ours.
    pub(super) fn not_a_handshake(status: StatusCode, detail: &str) -> Self {
        Self::new(status, "not-a-handshake", "Not a WebSocket handshake", detail)
    }

    /// The request comes from a page of an origin that is not on the list.
    pub(super) fn foreign_origin() -> Self {
        let detail = "pages of this origin may not connect";
        Self::new(StatusCode::FORBIDDEN, "foreign-origin", "Origin not allowed", detail)
            .about("Origin")
    }

    pub(super) fn unsupported_media_type() -> Self {
        let (title, detail) = ("Unsupported media type", "the body must be application/json");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", title, detail)
            .about("Content-Type")
    }

    pub(super) fn unsupported_encoding() -> Self {
        let (title, detail) = ("Unsupported encoding", "the body must be sent as it is");
        Self::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-encoding", title, detail)
            .about("Content-Encoding")
    }

    pub(super) fn body_too_large(limit: usize) -> Self {
        let detail = format!("the body holds {limit} bytes at most");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large", detail)
    }

    pub(super) fn unreadable_body() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "unreadable-body",
            "Unreadable body",
            "the body ended early",
        )
    }

    pub(super) fn slow_body() -> Self {
        let detail = "the body did not come in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "Slow body", detail)
    }

    pub(super) fn invalid_parameter(name: &str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-parameter", "Invalid parameter", detail)
            .about(name)
    }

    pub(super) fn invalid_header(name: &'static str, detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid-header", "Invalid header", detail).about(name)
    }

    pub(super) fn foreign_x_after() -> Self {
        Self::invalid_header("X-After", "the cursor is of another room")
    }

    pub(super) fn x_after_beyond_the_log() -> Self {
        Self::invalid_header("X-After", "the cursor lies beyond the end of the log")
    }

    pub(super) fn unknown_parameter(name: &str) -> Self {
        let detail = format!("unknown parameter: {name}");
        Self::new(StatusCode::BAD_REQUEST, "unknown-parameter", "Unknown parameter", detail)
            .about(name)
    }

    pub(super) fn foreign_user() -> Self {
        let (title, detail) = ("Somebody else's user_id", "user_id is not that of the token");
        Self::new(StatusCode::FORBIDDEN, "foreign-user", title, detail).about("user_id")
    }

    pub(super) fn invalid_emoji() -> Self {
        let (title, detail) = ("Not an emoji", "one emoji is expected, of at most 48 bytes");
        Self::new(StatusCode::BAD_REQUEST, "invalid-emoji", title, detail).about("emoji")
    }

    pub(super) fn unknown_message() -> Self {
        let detail = "there is no such message";
        Self::new(StatusCode::NOT_FOUND, "unknown-message", "Unknown message", detail)
    }

    pub(super) fn unknown_person() -> Self {
        let detail = "there can be no such person";
        Self::new(StatusCode::NOT_FOUND, "unknown-person", "Unknown person", detail)
    }

    pub(super) fn behind() -> Self {
        let (title, detail) = ("History is behind", "what was asked for is not stored yet");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "behind", title, detail)
    }

    pub(super) fn too_many_reads() -> Self {
        let detail = "too many reads in a short time, try again";
        Self::new(StatusCode::TOO_MANY_REQUESTS, "rate-limited", "Too many reads", detail)
    }

    pub(super) fn history_busy() -> Self {
        let (title, detail) = ("History is busy", "too much is read at the moment, try again");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "history-busy", title, detail)
    }

    pub(super) fn people_unavailable() -> Self {
        let detail = "people cannot be looked for at the moment";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "people-unavailable",
            "People unavailable",
            detail,
        )
    }

    pub(super) fn unloaded() -> Self {
        let (title, detail) = ("Room is behind", "this room waits for an upgrade of the service");
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "behind", title, detail)
    }

    pub(super) fn archive_unavailable() -> Self {
        let detail = "the message history cannot be read at the moment";
        Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "history-unavailable",
            "History unavailable",
            detail,
        )
    }
}

impl From<AuthError> for Problem {
    fn from(error: AuthError) -> Self {
        let (status, name, title) = match error {
            AuthError::Missing => (StatusCode::UNAUTHORIZED, "missing-token", "Not signed in"),
            AuthError::Token(dex_tokens::TokenError::Unavailable) => {
                (StatusCode::SERVICE_UNAVAILABLE, "keys-unavailable", "Tokens cannot be checked")
            }
            AuthError::Token(_) | AuthError::Subject => {
                (StatusCode::UNAUTHORIZED, "invalid-token", "Invalid token")
            }
        };
        Self::new(status, name, title, error.to_string()).about("Authorization")
    }
}

impl From<LookupError> for Problem {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Behind => Self::behind(),
            LookupError::Silent => Self::archive_unavailable(),
            LookupError::Beyond => Self::x_after_beyond_the_log(),
            LookupError::Read(error) => error.into(),
        }
    }
}

impl From<RoomError> for Problem {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Behind => Self::behind(),
            RoomError::Unloaded => Self::unloaded(),
            RoomError::TooFast => Self::too_many_reads(),
            RoomError::Busy => Self::history_busy(),
            RoomError::Unavailable => Self::archive_unavailable(),
        }
    }
}

impl From<ReadError> for Problem {
    fn from(error: ReadError) -> Self {
        match error {
            ReadError::TooFast => Self::too_many_reads(),
            ReadError::Busy => Self::history_busy(),
            ReadError::Archive(error) => {
                tracing::warn!(%error, "history cannot be read");
                Self::archive_unavailable()
            }
        }
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = problem::response(status, &self);
        let headers = response.headers_mut();
        match status {
            // RFC 6750 §3: no error code when there was no token at all.
            StatusCode::UNAUTHORIZED if self.name == "missing-token" => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            }
            StatusCode::UNAUTHORIZED => {
                let challenge = HeaderValue::from_static("Bearer error=\"invalid_token\"");
                headers.insert(header::WWW_AUTHENTICATE, challenge);
            }
            // RFC 9110 §15.5.16: which one would do.
            StatusCode::UNSUPPORTED_MEDIA_TYPE if self.name == "unsupported-encoding" => {
                headers.insert(header::ACCEPT_ENCODING, HeaderValue::from_static("identity"));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, SOON);
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                let late = matches!(self.name, "behind" | "history-busy");
                headers.insert(header::RETRY_AFTER, if late { SOON } else { AFTER_OUTAGE });
            }
            _ => {}
        }
        response
    }
}
