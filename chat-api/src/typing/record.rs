//! A record of the topic `chat-ephemeral`: somebody types in a room.

use serde::{Deserialize, Serialize};

use crate::message::RoomId;
use crate::presence::Person;

/// The version of the form that this release writes, and the only one that it reads.
const VERSION: u64 = 1;
/// What the record tells.
const KIND: &str = "typing";

/// Somebody types in a room.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct TypingRecord {
    pub(super) room_id: RoomId,
    #[serde(flatten)]
    pub(super) person: Person,
}

#[derive(Serialize)]
struct Written<'a> {
    v: u64,
    kind: &'static str,
    #[serde(flatten)]
    record: &'a TypingRecord,
}

#[derive(Deserialize)]
struct Head<'a> {
    v: u64,
    #[serde(borrow)]
    kind: std::borrow::Cow<'a, str>,
}

impl TypingRecord {
    /// The value of the record in the topic.
    ///
    /// # Panics
    /// Never: a record is plain data with text keys.
    pub(super) fn encode(&self) -> Vec<u8> {
        let written = Written { v: VERSION, kind: KIND, record: self };
        serde_json::to_vec(&written).expect("a record is plain data with text keys")
    }

    /// Reads a value of the topic. None if a later release wrote it.
    pub(super) fn decode(value: &[u8]) -> Result<Option<Self>, serde_json::Error> {
        let Head { v, kind } = serde_json::from_slice(value)?;
        if v != VERSION || kind != KIND {
            return Ok(None);
        }
        serde_json::from_slice(value).map(Some)
    }
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
