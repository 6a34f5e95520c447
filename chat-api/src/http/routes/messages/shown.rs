//! A message as it is shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use utoipa::ToSchema;

use crate::message::{Body, Event};

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
    /// The message text.
    content: String,
    /// The timestamp when the message was created.
    timestamp: DateTime<Utc>,
    /// Its place in the room's order.
    cursor: String,
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        let cursor = event.cursor().to_string();
        let envelope = event.envelope;
        let Body::Message { content, .. } = envelope.body;
        Self {
            message_id: envelope.message_id.to_string(),
            room_id: envelope.room_id.into(),
            user_id: envelope.user_id.into(),
            user_name: envelope.user_name.into(),
            content: content.into(),
            timestamp: envelope.timestamp,
            cursor,
        }
    }
}
