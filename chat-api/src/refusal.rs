//! Why something is not said, in one word for programs and one text for people.
//!
//! REST and sockets refuse alike. Both have their words for it from here; docs/API.md lists them. Only
//! the headers of a request are judged before there is a draft: by `http/header.rs`.

use crate::ingest::SendError;
use crate::kafka::AppendError;
use crate::message::{ContentError, DraftError, FieldError, MessageId};
use crate::rooms::Refused;

/// Why something is not said. As text it is the detail for people, which never holds internal text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// What was sent is not a message: nobody could say it.
    #[error(transparent)]
    Draft(#[from] DraftError),
    /// What was sent is a message, and was not said this time.
    #[error(transparent)]
    Send(#[from] SendError),
    /// Guests say nothing.
    #[error("guests only read: a token is needed")]
    Guest,
}

/// What a refusal means to whoever sent it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// It is not as it should be.
    Malformed,
    /// It is larger than allowed.
    TooLarge,
    /// It takes a token.
    Unauthorized,
    /// What it names is not there, or not for this person.
    NotFound,
    /// It is somebody else's.
    Forbidden,
    /// What it names was there, and never will be again.
    Gone,
    /// It contradicts what was said before, or is one too many.
    Conflict,
    /// This person says too much in a short time.
    TooFast,
    /// It will never be taken, for a reason of our own.
    Broken,
    /// It was not acknowledged; later it may be.
    Unavailable,
}

impl Refusal {
    /// There is no such room, for this person.
    pub const UNKNOWN_ROOM: Self = Self::Draft(DraftError::Room);

    /// What it means to whoever sent it.
    #[must_use]
    pub fn kind(&self) -> RefusalKind {
        match self {
            Self::Draft(DraftError::Content(ContentError::TooLarge)) => RefusalKind::TooLarge,
            Self::Draft(DraftError::Room | DraftError::ReplyTo)
            | Self::Send(
                SendError::UnknownRoom
                | SendError::UnknownMessage
                | SendError::Room(Refused::NoRoom | Refused::NotInRoom),
            ) => RefusalKind::NotFound,
            Self::Draft(_)
            | Self::Send(
                SendError::ForeignCursor
                | SendError::CursorBeyond
                | SendError::ForeignMarker
                | SendError::MarkerBeyond,
            ) => RefusalKind::Malformed,
            Self::Guest => RefusalKind::Unauthorized,
            Self::Send(SendError::TooFast | SendError::RoomQuota) => RefusalKind::TooFast,
            Self::Send(SendError::ForeignMessage | SendError::Room(Refused::NotAllowed)) => {
                RefusalKind::Forbidden
            }
            Self::Send(SendError::Room(_) | SendError::TooManyRooms | SendError::Overtaken) => {
                RefusalKind::Conflict
            }
            Self::Send(SendError::Deleted) => RefusalKind::Gone,
            Self::Send(SendError::Conflict | SendError::TooManyReactions) => RefusalKind::Conflict,
            Self::Send(SendError::Log { error: AppendError::Refused(_), .. }) => {
                RefusalKind::Broken
            }
            Self::Send(
                SendError::Log { .. }
                | SendError::Unloaded
                | SendError::NotOpenYet(_)
                | SendError::Behind
                | SendError::Unread
                | SendError::Busy,
            ) => RefusalKind::Unavailable,
        }
    }

    /// The word for programs, as problems name it.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Draft(DraftError::Field(error)) => match error {
                FieldError::NotJson { .. } => "not-json",
                FieldError::NotAnObject => "not-an-object",
                FieldError::Unknown(_) => "unknown-field",
                FieldError::Repeated(_) => "repeated-field",
                FieldError::Missing(_) => "missing-field",
                FieldError::WrongType { .. } => "wrong-type",
            },
            Self::Draft(DraftError::Content(error)) => match error {
                ContentError::Empty => "empty-content",
                ContentError::TooLarge => "content-too-large",
                ContentError::Unstorable => "unstorable-content",
            },
            Self::Draft(DraftError::Key(_))
            | Self::Send(SendError::ForeignCursor | SendError::CursorBeyond) => "invalid-header",
            Self::Send(SendError::ForeignMarker | SendError::MarkerBeyond) => "invalid-cursor",
            Self::Draft(DraftError::Room) | Self::Send(SendError::UnknownRoom) => "unknown-room",
            Self::Draft(DraftError::ReplyTo) | Self::Send(SendError::UnknownMessage) => {
                "unknown-message"
            }
            Self::Guest => "missing-token",
            Self::Send(SendError::TooFast) => "rate-limited",
            Self::Send(SendError::Unloaded | SendError::Behind) => "behind",
            Self::Send(SendError::NotOpenYet(_)) => "not-open-yet",
            Self::Send(SendError::ForeignMessage) => "foreign-message",
            Self::Send(SendError::Deleted) => "message-deleted",
            Self::Send(SendError::TooManyReactions) => "too-many-reactions",
            Self::Send(SendError::Room(refused)) => room_code(*refused),
            Self::Send(SendError::RoomQuota) => "room-quota",
            Self::Send(SendError::TooManyRooms) => "too-many-rooms",
            Self::Send(SendError::Overtaken) => "overtaken",
            Self::Send(SendError::Unread) => "history-unavailable",
            Self::Send(SendError::Busy) => "history-busy",
            Self::Send(SendError::Conflict) => "idempotency-conflict",
            Self::Send(SendError::Log { error, .. }) => match error {
                AppendError::Overloaded => "overloaded",
                AppendError::Unavailable => "unavailable",
                AppendError::NotSent(_) => "not-sent",
                AppendError::Unknown(_) => "unknown-outcome",
                AppendError::Refused(_) => "refused",
            },
        }
    }

    /// The word for programs, as frames name it. It is that of problems but for `invalid-key`, since a
    /// frame has no headers, and `conflict`.
    #[must_use]
    pub fn frame_code(&self) -> &'static str {
        match self {
            Self::Draft(DraftError::Key(_)) => "invalid-key",
            Self::Send(SendError::Conflict) => "conflict",
            _ => self.code(),
        }
    }

    /// What is known of a message that this side did not get into the log: `not_sent`, or `unknown` if
    /// it may stand there. None if the fault is the sender's.
    #[must_use]
    pub fn outcome(&self) -> Option<&'static str> {
        match self {
            Self::Send(SendError::Log { error: AppendError::Unknown(_), .. }) => Some("unknown"),
            Self::Send(SendError::Log { .. } | SendError::Overtaken) => Some("not_sent"),
            _ if self.kind() == RefusalKind::Unavailable => Some("not_sent"),
            _ => None,
        }
    }

    /// The id of the message, if it may have been sent.
    #[must_use]
    pub fn possible_message(&self) -> Option<MessageId> {
        match self {
            Self::Send(SendError::Log { message_id, error: AppendError::Unknown(_) }) => {
                Some(*message_id)
            }
            _ => None,
        }
    }
}

/// The word for what is not done in a room.
fn room_code(refused: Refused) -> &'static str {
    match refused {
        Refused::NoRoom => "unknown-room",
        // What is so already is done, for whoever wanted it.
        Refused::Already | Refused::NotAllowed => "not-allowed",
        Refused::WrongPair | Refused::Direct => "direct-room",
        Refused::Archived => "room-archived",
        Refused::Full => "room-full",
        Refused::Banned => "banned",
        Refused::NotInRoom => "not-in-room",
        Refused::Oneself => "oneself",
        Refused::Successor => "no-successor",
    }
}
