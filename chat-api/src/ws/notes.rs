//! What the frame `rooms` tells of rooms that a socket does not hear.

use chrono::{DateTime, Utc};
use serde::Serialize;

use crate::message::{Body, Cursor, Event, MessageId, RoomId, RoomName, UserName};
use crate::rooms::{Room, RoomKind};

/// Of what was said, so many characters are told.
const EXCERPT: usize = 200;

/// A room that the person is in now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Added {
    /// The room.
    pub room_id: RoomId,
    /// Who may be in it.
    pub kind: RoomKind,
    /// What it is called; direct rooms are called after the other person.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<RoomName>,
    /// The place from which the person is in it.
    pub cursor: Cursor,
}

/// A room that the person is not in any more, or that is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Removed {
    /// The room.
    pub room_id: RoomId,
    /// The place from which that is so.
    pub cursor: Cursor,
}

/// Something was said in a room that the socket does not hear.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Activity {
    /// The room.
    pub room_id: RoomId,
    /// The latest of it.
    pub last: Last,
    /// Messages of others since this was told last.
    pub more: u32,
    /// The place of the latest.
    pub cursor: Cursor,
}

/// A message, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Last {
    /// Its id.
    pub message_id: MessageId,
    /// The name of whoever said it.
    pub user_name: UserName,
    /// How it begins: 200 characters at most.
    pub excerpt: String,
    /// The server's time.
    pub timestamp: DateTime<Utc>,
}

impl Added {
    /// A room that the person is in from a place on.
    #[must_use]
    pub fn of(room: &RoomId, Room { kind, name, .. }: Room, cursor: Cursor) -> Self {
        Self { room_id: room.clone(), kind, name, cursor }
    }
}

impl Activity {
    /// What an event says. None if nothing was said.
    #[must_use]
    pub fn of(event: &Event) -> Option<Self> {
        let Event { partition, position, envelope } = event;
        let Body::Message { content: Some(content), .. } = &envelope.body else { return None };
        let last = Last {
            message_id: envelope.message_id,
            user_name: envelope.user_name.clone(),
            excerpt: content.as_str().chars().take(EXCERPT).collect(),
            timestamp: envelope.timestamp,
        };
        let cursor = Cursor { partition: *partition, position: *position };
        Some(Self { room_id: envelope.room_id.clone(), last, more: 0, cursor })
    }
}
