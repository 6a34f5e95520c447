//! A message as it is shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::{ReactionCount, StoredMessage};
use crate::message::{Body, Cursor};

/// A message.
#[derive(Serialize, ToSchema)]
#[expect(clippy::struct_field_names, reason = "the names are those of the interface")]
pub(in crate::http::routes) struct Message {
    /// Unique identifier for the message.
    message_id: String,
    /// The room it was sent to.
    room_id: String,
    /// The ID of the user who sent the message.
    user_id: String,
    /// The name that user had.
    user_name: String,
    /// The message text, as it is now; left out once the message is deleted.
    #[serde(skip_serializing_if = "Option::is_none")]
    content: Option<String>,
    /// The timestamp when the message was created.
    timestamp: DateTime<Utc>,
    /// Its place in the room's order.
    cursor: String,
    /// The message that this one answers, if it answers one.
    #[serde(skip_serializing_if = "Option::is_none")]
    reply_to: Option<String>,
    /// When the message got its present text, if that is not its first one.
    #[serde(skip_serializing_if = "Option::is_none")]
    edited_at: Option<DateTime<Utc>>,
    /// When the message was deleted. Nothing changes it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    deleted_at: Option<DateTime<Utc>>,
    /// Whether the message is pinned to its room; left out if it is not.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    pinned: bool,
    /// How people react to the message; left out if nobody does.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false, max_items = 20)]
    reactions: Vec<Reaction>,
    /// The place of the last event that is in this, if the message was changed. Events of this message up to
    /// that place change nothing any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    changed: Option<String>,
}

/// How many people react to a message with one emoji.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct Reaction {
    /// The emoji.
    emoji: String,
    /// How many people, at least one.
    count: u32,
    /// Whether the token's subject is one of them.
    mine: bool,
}

impl From<StoredMessage> for Message {
    fn from(stored: StoredMessage) -> Self {
        let StoredMessage { event, edited_at, deleted_at, changed, pinned, reactions, .. } = stored;
        let partition = event.partition;
        let changed = changed.map(|position| Cursor { partition, position }.to_string());
        let cursor = event.cursor().to_string();
        let envelope = event.envelope;
        let reply_to = match &envelope.body {
            Body::Message { reply_to, .. } => reply_to.map(|id| id.to_string()),
            Body::Change(_) | Body::Proposal(_) => None,
        };
        Self {
            message_id: envelope.message_id.to_string(),
            room_id: envelope.room_id.into(),
            user_id: envelope.user_id.into(),
            user_name: envelope.user_name.into(),
            content: envelope.body.content().cloned().map(String::from),
            timestamp: envelope.timestamp,
            cursor,
            reply_to,
            edited_at,
            deleted_at,
            pinned,
            reactions: reactions.into_iter().map(Reaction::from).collect(),
            changed,
        }
    }
}

impl From<ReactionCount> for Reaction {
    fn from(ReactionCount { emoji, count, mine }: ReactionCount) -> Self {
        Self { emoji: emoji.into(), count, mine }
    }
}
