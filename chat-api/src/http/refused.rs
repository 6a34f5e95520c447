//! What is not said, as a problem.

use http::StatusCode;

use super::problem::Problem;
use crate::ingest::SendError;
use crate::message::{ContentError, DraftError, FieldError};
use crate::refusal::{Refusal, RefusalKind};

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let detail = refusal.to_string();
        let mut problem = Self::new(status(&refusal), refusal.code(), title(&refusal), detail);
        problem.outcome = refusal.outcome();
        problem.message_id = refusal.possible_message();
        problem.fields = match refusal {
            Refusal::Draft(DraftError::Field(
                FieldError::Unknown(fields) | FieldError::Repeated(fields),
            )) => fields,
            refusal => field(&refusal).map(str::to_owned).into_iter().collect(),
        };
        problem
    }
}

impl From<FieldError> for Problem {
    fn from(error: FieldError) -> Self {
        Refusal::from(DraftError::from(error)).into()
    }
}

fn status(refusal: &Refusal) -> StatusCode {
    match refusal.kind() {
        RefusalKind::Malformed => StatusCode::BAD_REQUEST,
        RefusalKind::Unauthorized => StatusCode::UNAUTHORIZED,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::Gone => StatusCode::GONE,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::TooFast => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::Broken => StatusCode::INTERNAL_SERVER_ERROR,
        RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

fn title(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::Draft(DraftError::Field(error)) => match error {
            FieldError::NotJson { .. } => "Not JSON",
            FieldError::NotAnObject => "Not a JSON object",
            FieldError::Unknown(_) => "Unknown field",
            FieldError::Repeated(_) => "Repeated field",
            FieldError::Missing(_) => "Missing field",
            FieldError::WrongType { .. } => "Wrong type",
        },
        Refusal::Draft(DraftError::Content(error)) => match error {
            ContentError::Empty => "Empty content",
            ContentError::TooLarge => "Content too large",
            ContentError::Unstorable => "Content cannot be stored",
        },
        Refusal::Draft(DraftError::Key(_))
        | Refusal::Send(SendError::ForeignCursor | SendError::CursorBeyond) => "Invalid header",
        Refusal::Send(SendError::ForeignMarker | SendError::MarkerBeyond) => "Invalid cursor",
        Refusal::Draft(DraftError::Room) | Refusal::Send(SendError::UnknownRoom) => "Unknown room",
        Refusal::Guest => "Not signed in",
        Refusal::Send(SendError::TooFast) => "Too many messages",
        Refusal::Send(SendError::Conflict) => "Key used for another message",
        Refusal::Draft(DraftError::ReplyTo) | Refusal::Send(SendError::UnknownMessage) => {
            "Unknown message"
        }
        Refusal::Send(SendError::NotOpenYet(_)) => "Not open yet",
        Refusal::Send(SendError::ForeignMessage) => "Somebody else's message",
        Refusal::Send(SendError::Deleted) => "Message deleted",
        Refusal::Send(SendError::TooManyReactions) => "Too many reactions",
        Refusal::Send(SendError::Room(_)) => "Not in this room",
        Refusal::Send(SendError::RoomQuota | SendError::TooManyRooms) => "Too many rooms",
        Refusal::Send(SendError::Overtaken) => "Overtaken",
        Refusal::Send(SendError::Behind) => "History is behind",
        Refusal::Send(SendError::Unread) => "History unavailable",
        Refusal::Send(SendError::Busy) => "History is busy",
        Refusal::Send(SendError::Log { .. } | SendError::Unloaded) => {
            "The message was not acknowledged"
        }
    }
}

/// The field or header that it is about.
fn field(refusal: &Refusal) -> Option<&'static str> {
    match refusal {
        Refusal::Draft(DraftError::Field(
            FieldError::Missing(field) | FieldError::WrongType { field, .. },
        )) => Some(*field),
        Refusal::Draft(DraftError::Content(_)) => Some("content"),
        Refusal::Guest => Some("Authorization"),
        Refusal::Draft(DraftError::Room) | Refusal::Send(SendError::UnknownRoom) => Some("room_id"),
        Refusal::Draft(DraftError::Key(_)) | Refusal::Send(SendError::Conflict) => {
            Some("Idempotency-Key")
        }
        Refusal::Draft(DraftError::ReplyTo) => Some("reply_to"),
        Refusal::Send(SendError::ForeignCursor | SendError::CursorBeyond) => Some("X-After"),
        Refusal::Send(SendError::ForeignMarker | SendError::MarkerBeyond) => Some("cursor"),
        Refusal::Draft(DraftError::Field(_)) | Refusal::Send(_) => None,
    }
}
