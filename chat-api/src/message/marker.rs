//! How far somebody has read a room, and the record that says so.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::{MessageId, Position, RoomId, UserId};

/// The version of the records that are written.
const VERSION: u64 = 1;
/// The kind of the records that are written.
const KIND: &str = "marker";

/// Up to where a person has read a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Marker {
    /// The room.
    pub room_id: RoomId,
    /// Who has read it.
    pub user_id: UserId,
    /// The last place that they have read.
    pub position: Position,
}

/// A marker that is to be written, with what every record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewMarker {
    /// The id of the record.
    pub message_id: MessageId,
    /// When it was set.
    pub timestamp: DateTime<Utc>,
    /// What is set.
    pub marker: Marker,
}

/// What a record says, as far as this release understands it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecodedMarker {
    /// A marker.
    Known(Marker),
    /// Something that a later release wrote.
    Newer,
}

/// Why a record is no marker. The text names nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MarkerError {
    /// It has no value.
    #[error("the record has no value")]
    Empty,
    /// It is not JSON, or lacks a field.
    #[error("the value is not a marker")]
    Value,
    /// Its key is of another person or room.
    #[error("the key is not that of the marker")]
    Key,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u64,
    r#type: &'static str,
    message_id: MessageId,
    room_id: &'a RoomId,
    user_id: &'a UserId,
    timestamp: DateTime<Utc>,
    pos: Position,
}

#[derive(Deserialize)]
struct Head {
    v: u64,
    r#type: String,
}

/// Fields that a later release adds are left out.
#[derive(Deserialize)]
struct Read {
    room_id: RoomId,
    user_id: UserId,
    pos: Position,
}

impl Marker {
    /// The key of its records, by which the topic is compacted: no room's id has a bar.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}|{}", self.user_id, self.room_id)
    }

    /// The marker of a record.
    pub fn decode(key: Option<&[u8]>, value: Option<&[u8]>) -> Result<DecodedMarker, MarkerError> {
        let value = value.ok_or(MarkerError::Empty)?;
        let head: Head = serde_json::from_slice(value).map_err(|_| MarkerError::Value)?;
        if head.v != VERSION || head.r#type != KIND {
            return Ok(DecodedMarker::Newer);
        }
        let read: Read = serde_json::from_slice(value).map_err(|_| MarkerError::Value)?;
        let Read { room_id, user_id, pos } = read;
        let marker = Self { room_id, user_id, position: pos };
        let is_own = key == Some(marker.key().as_bytes());
        if is_own { Ok(DecodedMarker::Known(marker)) } else { Err(MarkerError::Key) }
    }
}

impl NewMarker {
    /// The value of its record: JSON.
    ///
    /// # Panics
    /// Never: it is plain data with text keys.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { message_id, timestamp, marker: Marker { room_id, user_id, position } } = self;
        let written = Written {
            v: VERSION,
            r#type: KIND,
            message_id: *message_id,
            room_id,
            user_id,
            timestamp: *timestamp,
            pos: *position,
        };
        serde_json::to_vec(&written).expect("a marker is plain data with text keys")
    }
}

#[cfg(test)]
#[path = "marker_tests.rs"]
mod tests;
