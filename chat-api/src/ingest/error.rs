//! Why something is not said.

use super::writes::NewKind;
use crate::archive::ReadError;
use crate::kafka::AppendError;
use crate::lookup::LookupError;
use crate::message::{Change, MessageId};
use crate::room_loader::RoomError;
use crate::rooms::{Access, Refused};

/// Why something was not said. As text it is what its sender is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// This person says too much in a short time, or reads too much to have a key looked up.
    #[error("too many messages in a short time; nothing was sent, try again")]
    TooFast,
    /// There is no such room for this person.
    #[error("there is no such room")]
    UnknownRoom,
    /// A record changed the room in a way that this release does not understand.
    #[error("this room waits for an upgrade of the service; nothing was sent")]
    Unloaded,
    /// The key was used before, for something else.
    #[error("the key was used for another message")]
    Conflict,
    /// This release may not write that yet.
    #[error("this is not open yet ({0}); nothing was sent")]
    NotOpenYet(NewKind),
    /// There is no such message for this person.
    #[error("there is no such message")]
    UnknownMessage,
    /// Only its author may do this to a message.
    #[error("the message is somebody else's")]
    ForeignMessage,
    /// The message was deleted.
    #[error("the message was deleted")]
    Deleted,
    /// The message bears no more reactions, or no more different ones.
    #[error(
        "a message bears {} reactions, with {} different emoji",
        Change::REACTIONS_MAX,
        Change::EMOJI_MAX
    )]
    TooManyReactions,
    /// It is not done in this room, or not by this person.
    #[error("{0}")]
    Room(Refused),
    /// This person makes too many rooms.
    #[error("too many rooms made in a day; nothing was done")]
    RoomQuota,
    /// Somebody would be in too many rooms.
    #[error("a person is in 1,000 rooms at most; nothing was done")]
    TooManyRooms,
    /// What it was judged by changed each time before it stood in the log.
    #[error("others changed the room at the same time; nothing was done, try again")]
    Overtaken,
    /// The place that the caller has seen is of another room.
    #[error("the cursor is of another room")]
    ForeignCursor,
    /// The place that the caller has seen lies beyond the log.
    #[error("the cursor lies beyond the end of the log")]
    CursorBeyond,
    /// The place up to which somebody has read is of another room.
    #[error("cursor: it is of another room")]
    ForeignMarker,
    /// The place up to which somebody has read lies beyond the log.
    #[error("cursor: it lies beyond the end of the log")]
    MarkerBeyond,
    /// The archive does not have the message yet.
    #[error("what was asked for is not stored yet; nothing was sent")]
    Behind,
    /// The archive cannot be read.
    #[error("the message history cannot be read at the moment; nothing was sent")]
    Unread,
    /// Too much is read of the archive.
    #[error("too much is read at the moment; nothing was sent, try again")]
    Busy,
    /// The log did not acknowledge it.
    #[error("{}", detail_of(*error))]
    Log {
        /// The id it has if it stands in the log nevertheless.
        message_id: MessageId,
        /// Why it was not acknowledged.
        error: AppendError,
    },
}

impl SendError {
    /// What it is counted as.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self {
            Self::TooFast => "rate_limited",
            Self::UnknownRoom => "unknown_room",
            Self::Unloaded | Self::Behind => "behind",
            Self::Conflict => "conflict",
            Self::NotOpenYet(_) => "not_open_yet",
            Self::UnknownMessage => "unknown_message",
            Self::ForeignMessage => "foreign_message",
            Self::Deleted => "deleted",
            Self::TooManyReactions => "too_many_reactions",
            Self::Room(_) => "not_in_this_room",
            Self::RoomQuota | Self::TooManyRooms => "too_many_rooms",
            Self::Overtaken => "overtaken",
            Self::ForeignCursor | Self::CursorBeyond | Self::ForeignMarker | Self::MarkerBeyond => {
                "invalid_cursor"
            }
            Self::Unread | Self::Busy => "unread",
            Self::Log { error, .. } => error.class(),
        }
    }
}

impl From<LookupError> for SendError {
    fn from(error: LookupError) -> Self {
        match error {
            LookupError::Behind => Self::Behind,
            LookupError::Beyond => Self::CursorBeyond,
            LookupError::Read(ReadError::TooFast) => Self::TooFast,
            LookupError::Read(ReadError::Busy) => Self::Busy,
            LookupError::Silent => Self::Unread,
            LookupError::Read(ReadError::Archive(error)) => {
                tracing::warn!(%error, "a message cannot be looked up");
                Self::Unread
            }
        }
    }
}

impl From<RoomError> for SendError {
    fn from(error: RoomError) -> Self {
        match error {
            RoomError::Behind => Self::Behind,
            RoomError::Unloaded => Self::Unloaded,
            RoomError::TooFast => Self::TooFast,
            RoomError::Busy => Self::Busy,
            RoomError::Unavailable => Self::Unread,
        }
    }
}

/// What the failure of an append means to whoever sent the message.
fn detail_of(error: AppendError) -> &'static str {
    match error {
        AppendError::Overloaded => "too much is under way; nothing was sent, try again",
        AppendError::Unavailable => "no messages are taken at the moment; nothing was sent",
        AppendError::NotSent(_) => "the message was not sent, try again",
        AppendError::Unknown(_) => "the message may have been sent; its id tells",
        AppendError::Refused(_) => "the message cannot be taken",
    }
}

/// Whether somebody may say something in a room. To who may not read it there is none.
pub(super) fn may_say(access: Access) -> Result<(), SendError> {
    if access.may_say() {
        Ok(())
    } else if access.may_read() {
        Err(SendError::Room(Refused::NotAllowed))
    } else {
        Err(SendError::UnknownRoom)
    }
}
