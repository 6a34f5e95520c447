//! What a refusal is in HTTP.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode};

use super::body::BadBody;
use crate::accounts::refusal::Refusal;

/// A refusal as it is answered: its status, its name in JSON, and when it is worth trying again.
#[derive(Debug, Clone, Copy)]
pub(super) struct Answer {
    pub(super) status: StatusCode,
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) retry_after: Option<Duration>,
}

/// How long to wait when too much is to be done, or the database is away.
pub(super) const A_MOMENT: Duration = Duration::from_secs(5);

impl Answer {
    pub(super) const fn new(status: StatusCode, name: &'static str, title: &'static str) -> Self {
        Self { status, name, title, retry_after: None }
    }

    pub(super) const fn later(self, after: Duration) -> Self {
        Self { retry_after: Some(after), ..self }
    }
}

impl From<&Refusal> for Answer {
    fn from(refusal: &Refusal) -> Self {
        let new = Self::new;
        match refusal {
            Refusal::SignUpClosed => {
                new(StatusCode::FORBIDDEN, "sign-up-closed", "People cannot sign up here")
            }
            Refusal::InvitedOnly => {
                new(StatusCode::FORBIDDEN, "invited-only", "People sign up here by invitation")
            }
            Refusal::Invitation => {
                new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-invitation", "Not an invitation")
            }
            Refusal::Email(_) => {
                new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-email", "Not an e-mail address")
            }
            Refusal::Name(_) => new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-name", "Not a name"),
            Refusal::Password(_) => {
                new(StatusCode::UNPROCESSABLE_ENTITY, "unfit-password", "The password is not taken")
            }
            Refusal::Code => new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-code", "Not the code"),
            Refusal::NoFlow | Refusal::Over => new(StatusCode::GONE, "no-flow", "There is no flow"),
            Refusal::OtherFlow => new(StatusCode::CONFLICT, "other-flow", "Another flow was begun"),
            Refusal::OtherPurpose => {
                new(StatusCode::CONFLICT, "other-purpose", "The flow is for something else")
            }
            Refusal::Taken => {
                new(StatusCode::CONFLICT, "address-taken", "There is an account with the address")
            }
            Refusal::Disabled => {
                new(StatusCode::FORBIDDEN, "account-disabled", "The account may not be used")
            }
            Refusal::Throttled(after) => {
                new(StatusCode::TOO_MANY_REQUESTS, "throttled", "Too many requests").later(*after)
            }
            Refusal::Busy(_) => {
                new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too much is to be done")
                    .later(A_MOMENT)
            }
            Refusal::Unavailable(_) => {
                new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "The database does not answer")
                    .later(A_MOMENT)
            }
        }
    }
}

impl From<BadBody> for Answer {
    fn from(fault: BadBody) -> Self {
        match fault {
            BadBody::MediaType => Self::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported-media-type",
                "Unsupported media type",
            ),
            BadBody::TooLarge => {
                Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "Body too large")
            }
            BadBody::Slow => {
                Self::new(StatusCode::REQUEST_TIMEOUT, "slow-body", "The body did not come in time")
            }
            BadBody::Malformed => {
                Self::new(StatusCode::BAD_REQUEST, "malformed-body", "Malformed body")
            }
        }
    }
}

/// For `Retry-After`: whole seconds, and never too few.
pub(super) fn seconds(after: Duration) -> HeaderValue {
    HeaderValue::from(after.as_secs() + u64::from(after.subsec_nanos() > 0))
}

/// A request that did not come from a page of ours.
pub(super) const FOREIGN: Answer =
    Answer::new(StatusCode::FORBIDDEN, "foreign-origin", "Not from a page of ours");

/// Dex cannot be asked for the keys of its tokens.
pub(super) const NO_KEYS: Answer =
    Answer::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", "Tokens cannot be verified now")
        .later(A_MOMENT);
