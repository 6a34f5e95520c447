//! Something that somebody wants to say.

use super::{Content, ContentError, FieldError, IdempotencyKey, Invalid, MessageId, RoomId};

/// Something that is about to be said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// The room to say it in.
    pub room_id: RoomId,
    /// What to say.
    pub content: Content,
    /// The message of the same room that it answers, if it answers one.
    pub reply_to: Option<MessageId>,
    /// Its sender's own name for it, if it may be sent again.
    pub key: Option<IdempotencyKey>,
}

/// A draft as it came, as far as its transport could read it. What that could not read is refused in its
/// turn: the room before the content, the content before what it answers, that before the key.
#[derive(Debug)]
pub struct RawDraft {
    /// The name of the room; the lobby if left out.
    pub room_id: Option<String>,
    /// The text, if there is one of that type.
    pub content: Result<String, FieldError>,
    /// The id of the message that it answers, if there is one.
    pub reply_to: Result<Option<String>, FieldError>,
    /// The key, if there is one.
    pub key: Result<Option<IdempotencyKey>, Invalid>,
}

/// Why something cannot be said, whoever wants to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DraftError {
    /// A field is not as it should be.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// What is not a room's id is not a room either.
    #[error("there is no such room")]
    Room,
    /// The text cannot be a content.
    #[error(transparent)]
    Content(#[from] ContentError),
    /// What is not a message's id is not a message either.
    #[error("there is no such message to answer")]
    ReplyTo,
    /// The idempotency key is not 1 to 255 visible ASCII characters.
    #[error(transparent)]
    Key(#[from] Invalid),
}

impl Draft {
    /// Parses what somebody wants to say.
    pub fn parse(raw: RawDraft) -> Result<Self, DraftError> {
        let RawDraft { room_id, content, reply_to, key } = raw;
        let room_id = match room_id {
            Some(room_id) => RoomId::parse(&room_id).map_err(|_| DraftError::Room)?,
            None => RoomId::lobby(),
        };
        let content = Content::to_be_said(&content?)?;
        let reply_to = reply_to?.map(|id| MessageId::parse(&id)).transpose();
        let reply_to = reply_to.map_err(|_| DraftError::ReplyTo)?;
        Ok(Self { room_id, content, reply_to, key: key? })
    }
}
