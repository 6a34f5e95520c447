//! Envelopes as bytes of a record.

use crate::message::{self, Decoded, Envelope, Newer, Partition, ReadValue, RoomId};

use super::Partitioner;

/// The largest value that is parsed: ten times what the largest message takes when each of its
/// characters is escaped. A compressed record may unfold to 255 times what the topic takes.
const VALUE_MAX: usize = 1 << 20;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The record has no value.
    #[error("the record has no value")]
    Empty,
    /// The value is larger than any envelope.
    #[error("the value has {0} bytes, more than any envelope")]
    TooLarge(usize),
    /// The value is JSON of another kind, or no JSON at all.
    #[error("the value is not an envelope: not a JSON object")]
    NotAnObject,
    /// The value is not an envelope of this or of a later release. The text names no content.
    #[error("the value is not an envelope: line {line}, column {column}, {class}")]
    Envelope {
        /// Line of the fault, from 1.
        line: usize,
        /// Column of the fault, from 1.
        column: usize,
        /// What kind of fault.
        class: &'static str,
    },
    /// The key is not the room of the envelope.
    #[error("the key is not the envelope's room")]
    Key,
    /// The room belongs to another partition, so its order would be lost.
    #[error("the room belongs to partition {0}")]
    Misplaced(Partition),
}

/// The value of an envelope's record: JSON.
///
/// # Panics
/// Never: an envelope is plain data with text keys.
#[must_use]
pub fn encode(envelope: &Envelope) -> Vec<u8> {
    let mut value = Vec::with_capacity(envelope.json_bytes());
    serde_json::to_writer(&mut value, envelope).expect("an envelope is plain data with text keys");
    value
}

/// Reads records, and says which of them this release understands.
#[derive(Debug, Clone, Copy)]
pub struct Decoder {
    partitioner: Partitioner,
    extra_kind: Option<&'static str>,
}

impl Decoder {
    /// Reads what this release knows, in a topic with that partitioner.
    #[must_use]
    pub fn new(partitioner: Partitioner) -> Self {
        Self { partitioner, extra_kind: None }
    }

    /// Reads one more kind, as if it were a message: for tests, in which it is a kind of a release to
    /// come that this one is ahead with.
    #[must_use]
    pub fn with_extra_kind(self, kind: Option<&'static str>) -> Self {
        Self { extra_kind: kind, ..self }
    }

    /// Which partition a room is in.
    #[must_use]
    pub fn partitioner(self) -> Partitioner {
        self.partitioner
    }

    /// Reads a record that stands in `partition`.
    pub fn decode(
        self,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        partition: Partition,
    ) -> Result<Decoded, DecodeError> {
        let value = value.ok_or(DecodeError::Empty)?;
        if value.len() > VALUE_MAX {
            return Err(DecodeError::TooLarge(value.len()));
        }
        // serde reads a list as the fields of a struct, in their order.
        if value.trim_ascii_start().first() != Some(&b'{') {
            return Err(DecodeError::NotAnObject);
        }
        // serde's own text may quote what somebody said, and this one ends in logs.
        let read = message::read(value, self.extra_kind).map_err(|error| {
            let class = match error.classify() {
                serde_json::error::Category::Data => "a field is missing or has an unknown value",
                _ => "not JSON",
            };
            DecodeError::Envelope { line: error.line(), column: error.column(), class }
        })?;
        let room = key.and_then(|key| std::str::from_utf8(key).ok());
        let room = room.and_then(|room| RoomId::parse(room).ok()).ok_or(DecodeError::Key)?;
        let decoded = match read {
            ReadValue::Known(envelope) if envelope.room_id != room => return Err(DecodeError::Key),
            ReadValue::Known(envelope) => Decoded::Known(envelope),
            ReadValue::Newer(head) => Decoded::Newer(Newer { room_id: room.clone(), head }),
        };
        match self.partitioner.of(&room) {
            home if home == partition => Ok(decoded),
            home => Err(DecodeError::Misplaced(home)),
        }
    }
}

#[cfg(test)]
#[path = "codec_tests.rs"]
mod tests;
