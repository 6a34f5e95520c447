use mongodb::bson::{DateTime as Time, doc, oid::ObjectId};

use super::*;
use crate::message::{Author, Draft, IdempotencyKey};

fn events() -> Vec<Event> {
    let user_id = UserId::parse("u").unwrap();
    let author = Author { user_name: UserName::shown(Some("Ada"), &user_id), user_id };
    let now = DateTime::from_timestamp(1_700_000_000, 987_654_321).unwrap();
    let event = |key| {
        let content = Content::parse("hé\n").unwrap();
        let draft = Draft { room_id: RoomId::lobby(), content, key };
        Event {
            partition: Partition::from_number(3).unwrap(),
            position: Position::new(0, 17).unwrap(),
            envelope: Envelope::compose(draft, &author, now, [9; 10]),
        }
    };
    [None, IdempotencyKey::parse("k").ok()].map(event).into()
}

#[test]
fn an_event_survives_the_archive() {
    for event in events() {
        let document = Document::try_from(of_event(&event)).unwrap();
        assert_eq!(to_event(&document).unwrap(), event);
    }
}

#[test]
fn what_a_later_release_adds_does_no_harm_and_what_it_changes_is_named() {
    let keyed = events().pop().unwrap();
    let good = Document::try_from(of_event(&keyed)).unwrap();
    let mut more = good.clone();
    more.insert("reply_to", "x");
    more.insert("type", "message");
    assert_eq!(to_event(&more).unwrap(), keyed);

    let faults = doc! {
        "partition": 3_i64, "pos": "17", "timestamp": "2023", "room_id": "No Room", "user_id": 1,
        "user_name": "", "content": "", "body_hash": "x", "type": "tombstone", "_id": "x",
    };
    assert_eq!(faults.len(), metrics::DOCUMENT_FIELDS.len());
    for (field, fault) in faults {
        assert!(metrics::DOCUMENT_FIELDS.contains(&field.as_str()), "{field} is counted from 0 on");
        let mut document = good.clone();
        document.insert(field.clone(), fault);
        let unreadable = to_event(&document).unwrap_err();
        assert_eq!(unreadable.field, field);
        if field != "_id" {
            assert_eq!(unreadable.id, event_id(&keyed));
        }
        if !["type", "body_hash"].contains(&field.as_str()) {
            document.remove(&field);
            assert_eq!(to_event(&document).unwrap_err().field, field, "left out");
        }
    }
}

fn event_id(event: &Event) -> String {
    event.envelope.message_id.to_string()
}

#[test]
fn a_document_is_named_by_its_id_of_whatever_type() {
    let id = |id: Bson| to_event(&doc! { "_id": id, "at": Time::MIN }).unwrap_err().id;
    assert_eq!(id("\u{1b}[2J".into()), "\\u{1b}[2J");
    assert_eq!(id("x".repeat(1_000).into()).len(), ID_SHOWN);
    assert_eq!(id(ObjectId::from_bytes([1; 12]).into()), "01".repeat(12));
    assert_eq!(id(doc! { "private": "words" }.into()), "EmbeddedDocument");
    assert_eq!(to_event(&doc! {}).unwrap_err().id, "none");
}

#[test]
fn a_text_that_is_not_utf_8_is_its_own_documents_fault() {
    for event in events() {
        let mut bytes = of_event(&event).into_bytes();
        let read =
            |bytes: &[u8]| readable_raw(&RawDocumentBuf::from_bytes(bytes.to_vec()).unwrap());
        assert_eq!(read(&bytes), Some(event));
        let at = bytes.windows(2).position(|two| two == "é".as_bytes()).unwrap();
        bytes[at] = b'x';
        assert_eq!(read(&bytes), None);
    }
}

#[test]
fn a_document_is_named_once_until_too_many_are() {
    let mut named = Named(BTreeSet::new());
    for number in 0..NAMED_MAX {
        assert!(named.is_news(&number.to_string()));
        assert!(!named.is_news(&number.to_string()));
    }
    assert!(named.is_news("one more") && named.0.len() == 1);
}
