//! Envelopes as bytes of a record.

use crate::message::{Envelope, Partition};

use super::Partitioner;

/// Why a record cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// The record has no value.
    #[error("the record has no value")]
    Empty,
    /// The value is not an envelope this version knows. The text names no content.
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
    serde_json::to_vec(envelope).expect("an envelope is plain data with text keys")
}

/// Reads the envelope of a record that stands in `partition`.
pub fn decode(
    key: Option<&[u8]>,
    value: Option<&[u8]>,
    partition: Partition,
    partitioner: Partitioner,
) -> Result<Envelope, DecodeError> {
    let value = value.ok_or(DecodeError::Empty)?;
    // serde's own text may quote what somebody said, and this one ends in logs.
    let envelope: Envelope = serde_json::from_slice(value).map_err(|error| {
        let class = match error.classify() {
            serde_json::error::Category::Data => "a field is missing or has an unknown value",
            _ => "not JSON",
        };
        DecodeError::Envelope { line: error.line(), column: error.column(), class }
    })?;
    if key != Some(envelope.room_id.as_str().as_bytes()) {
        return Err(DecodeError::Key);
    }
    match partitioner.of(&envelope.room_id) {
        home if home == partition => Ok(envelope),
        home => Err(DecodeError::Misplaced(home)),
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;
    use crate::message::{Author, Content, Draft, RoomId, UserId, UserName};

    fn envelope() -> Envelope {
        let user_id = UserId::parse("u").unwrap();
        let author = Author { user_name: UserName::shown(None, &user_id), user_id };
        let content = Content::parse("hi \"there\"").unwrap();
        let draft = Draft { room_id: RoomId::lobby(), content, key: None };
        Envelope::compose(
            draft,
            &author,
            DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(),
            [1; 10],
        )
    }

    #[test]
    fn an_envelope_survives_the_log() {
        let partitioner = Partitioner::new(6).unwrap();
        let home = partitioner.of(&RoomId::lobby());
        let bytes = encode(&envelope());
        assert_eq!(decode(Some(b"lobby"), Some(&bytes), home, partitioner).unwrap(), envelope());

        let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(json["v"], 1);
        assert_eq!(json["type"], "message");
        assert_eq!(json["timestamp"], "2023-11-14T22:13:20.123Z");
    }

    #[test]
    fn a_field_that_a_later_version_adds_does_no_harm() {
        let partitioner = Partitioner::new(1).unwrap();
        let mut json = serde_json::to_value(envelope()).unwrap();
        json["reply_to"] = "x".into();
        let bytes = serde_json::to_vec(&json).unwrap();
        let home = partitioner.of(&RoomId::lobby());
        assert_eq!(decode(Some(b"lobby"), Some(&bytes), home, partitioner).unwrap(), envelope());
    }

    #[test]
    fn what_is_no_envelope_of_this_place_is_refused_without_quoting_it() {
        let partitioner = Partitioner::new(6).unwrap();
        let home = partitioner.of(&RoomId::lobby());
        let good = encode(&envelope());
        let mut wrong_version = serde_json::to_value(envelope()).unwrap();
        wrong_version["v"] = 2.into();
        let wrong_version = serde_json::to_vec(&wrong_version).unwrap();

        assert!(matches!(decode(Some(b"lobby"), None, home, partitioner), Err(DecodeError::Empty)));
        assert!(matches!(decode(None, Some(&good), home, partitioner), Err(DecodeError::Key)));
        let elsewhere = partitioner.all().find(|partition| *partition != home).unwrap();
        let misplaced = decode(Some(b"lobby"), Some(&good), elsewhere, partitioner);
        assert!(matches!(misplaced, Err(DecodeError::Misplaced(p)) if p == home));
        for bytes in [&b"private words"[..], b"\"private\"", b"{}", &wrong_version] {
            let error = decode(Some(b"lobby"), Some(bytes), home, partitioner).unwrap_err();
            assert!(!error.to_string().contains("private"), "{error}");
        }
    }
}
