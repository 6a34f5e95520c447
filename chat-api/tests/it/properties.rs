//! What holds for every text that comes from outside. Fuzzing looks for a text for which it does
//! not (`./dev fuzz`, which compiles this file into its targets); the corpora are such texts.

use chat_api::hub::Entry;
use chat_api::kafka::{Decoder, Partitioner, encode};
use chat_api::message::{Body, Cursor, Decoded, Event, FieldError, Position, RoomId};
use chat_api::ws::frame::{FrameError, Inbound};

/// A property of a text.
pub(crate) type Property = fn(&str);

/// Every property, under the name of its fuzz target and of its corpus.
pub(crate) const ALL: [(&str, Property); 3] =
    [("frame", frame), ("cursor", cursor), ("envelope", envelope)];

/// Stands for what must not be repeated.
const CANARY: &str = "canary-secret";

/// A frame is understood or refused, and what it said is not repeated in the reason.
pub(crate) fn frame(text: &str) {
    match Inbound::parse(text) {
        Ok(_) => match serde_json::from_str::<serde_json::Value>(text) {
            Ok(value) => assert!(value["type"].is_string()),
            // Half of a surrogate pair is understood, so that its field can be refused.
            Err(error) => assert!(text.to_lowercase().contains("\\ud"), "a frame is JSON: {error}"),
        },
        // Names of fields are repeated, on purpose.
        Err(FrameError::Field(FieldError::Unknown(_) | FieldError::Repeated(_))) => {}
        Err(error) => assert!(!error.to_string().contains(CANARY), "{error}"),
    }
}

/// A cursor that is accepted is written as it was read, and is a place.
pub(crate) fn cursor(text: &str) {
    let Ok(cursor) = Cursor::parse(text) else { return };
    assert_eq!(cursor.to_string(), text, "one form only");
    assert!(cursor.partition.number() >= 0);
    assert!(cursor.position >= Position::BEFORE_ALL);
    assert!(cursor.position.next() >= cursor.position);
    assert!(cursor.position.previous() <= cursor.position);
}

/// A record's value is an envelope that is written as it was understood, in a place and in a frame, or
/// it is refused without being quoted.
pub(crate) fn envelope(text: &str) {
    let partitioner = Partitioner::new(6).expect("six partitions are some");
    for partition in partitioner.all() {
        let key = RoomId::LOBBY.as_bytes();
        let decoder = Decoder::new(partitioner);
        let decode = |value| decoder.decode(Some(key), Some(value), partition);
        match decode(text.as_bytes()) {
            Ok(Decoded::Known(envelope)) => {
                let again = encode(&envelope);
                let same = decode(&again).expect("what we write we read");
                assert_eq!(same, Decoded::Known(envelope.clone()));
                let position = Position::FIRST;
                let event = Event { partition, position, envelope };
                let entry = Entry::of(&event, None);
                let frame = entry.frame();
                assert_eq!(entry.bytes(), Entry::bytes_of(frame.len()));
                // The text lies behind two bytes, and two or eight more of a length that does not fit there.
                let text = match frame[1] {
                    126 => &frame[4..],
                    127 => &frame[10..],
                    _ => &frame[2..],
                };
                let value: serde_json::Value =
                    serde_json::from_slice(text).expect("a frame is JSON");
                let content = event.envelope.body.content().map(ToString::to_string);
                assert_eq!(value["event"]["content"].as_str(), content.as_deref());
                let again = event.envelope.body.blank();
                let blank = entry.blank(partition).map(|blank| blank.frame().len());
                assert_eq!(blank.is_some(), content.is_some(), "whatever was said can be blanked");
                assert!(again.content().is_none() && blank.is_none_or(|blank| blank < frame.len()));
                if let Body::Proposal(proposal) = &event.envelope.body {
                    assert_eq!(value["event"]["type"], proposal.change.kind().name());
                }
            }
            // Its kind is a name, and says nothing.
            Ok(Decoded::Newer(newer)) => assert!(newer.head.to_string().len() <= 100),
            Err(error) => assert!(!format!("{error} {error:?}").contains(CANARY), "{error}"),
        }
    }
}
