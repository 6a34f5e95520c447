//! Events as documents.

use chrono::DateTime;
use mongodb::bson::{self, Document, RawDocumentBuf, cstr, rawdoc};

use super::ArchiveError;
use crate::message::{
    Author, BodyHash, Content, Draft, Envelope, Event, MessageId, Partition, Position, RoomId,
    UserId, UserName,
};

/// The document of an event, in the form in which it is sent: a tree of values would cost more than
/// what it is made of.
pub(super) fn of_event(event: &Event) -> RawDocumentBuf {
    let envelope = &event.envelope;
    let mut document = rawdoc! {
        "_id": envelope.message_id.to_string(),
        "room_id": envelope.room_id.as_str(),
        "partition": event.partition.number(),
        "pos": event.position.raw(),
        "user_id": envelope.user_id.as_str(),
        "user_name": envelope.user_name.as_str(),
        "timestamp": bson::DateTime::from_millis(envelope.timestamp.timestamp_millis()),
        "content": envelope.content.as_str(),
    };
    if let Some(hash) = envelope.body_hash {
        document.append(cstr!("body_hash"), hash.to_string());
    }
    document
}

/// The event of a document.
pub(super) fn to_event(document: &Document) -> Result<Event, ArchiveError> {
    read(document).ok_or(ArchiveError::Foreign("messages"))
}

fn read(document: &Document) -> Option<Event> {
    let timestamp = document.get_datetime("timestamp").ok()?.timestamp_millis();
    let draft = Draft {
        room_id: RoomId::parse(document.get_str("room_id").ok()?).ok()?,
        content: Content::parse(document.get_str("content").ok()?).ok()?,
        key: None,
    };
    let author = Author {
        user_id: UserId::parse(document.get_str("user_id").ok()?).ok()?,
        user_name: UserName::parse(document.get_str("user_name").ok()?).ok()?,
    };
    let id = MessageId::parse(document.get_str("_id").ok()?).ok()?;
    let mut envelope =
        Envelope::restore(id, draft, author, DateTime::from_timestamp_millis(timestamp)?);
    if let Ok(hash) = document.get_str("body_hash") {
        envelope.body_hash = Some(BodyHash::parse(hash).ok()?);
    }
    Some(Event {
        partition: Partition::from_number(document.get_i32("partition").ok()?).ok()?,
        position: Position::from_raw(document.get_i64("pos").ok()?).ok()?,
        envelope,
    })
}

#[cfg(test)]
mod tests {
    use mongodb::bson::doc;

    use super::*;
    use crate::message::IdempotencyKey;

    #[test]
    fn an_event_survives_the_archive() {
        let user_id = UserId::parse("u").unwrap();
        let author = Author { user_name: UserName::shown(Some("Ada"), &user_id), user_id };
        let now = DateTime::from_timestamp(1_700_000_000, 987_654_321).unwrap();
        for key in [None, IdempotencyKey::parse("k").ok()] {
            let content = Content::parse("hé\n").unwrap();
            let draft = Draft { room_id: RoomId::lobby(), content, key };
            let event = Event {
                partition: Partition::from_number(3).unwrap(),
                position: Position::new(0, 17).unwrap(),
                envelope: Envelope::compose(draft, &author, now, [9; 10]),
            };
            let document = Document::try_from(of_event(&event)).unwrap();
            assert_eq!(to_event(&document).unwrap(), event);
        }
        assert!(to_event(&doc! { "_id": "x" }).is_err());
    }
}
