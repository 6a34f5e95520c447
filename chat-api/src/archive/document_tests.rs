use mongodb::bson::{DateTime as Time, oid::ObjectId};

use super::*;
use crate::archive::messages::stored::StoredMessage;
use crate::archive::{changes, messages};
use crate::message::{Act, Author, BodyHash, Change, Draft, Emoji, MessageId, Target};

fn event(body: Body) -> Event {
    let user_id = UserId::parse("u").unwrap();
    let author = Author { user_name: UserName::shown(Some("Ada"), &user_id), user_id };
    let now = DateTime::from_timestamp(1_700_000_000, 987_654_321).unwrap();
    let content = Content::parse("hé\n").unwrap();
    let draft = Draft { room_id: RoomId::lobby(), content, reply_to: None, key: None };
    let envelope = Envelope { body, ..Envelope::compose(draft, &author, now, [9; 10]) };
    let (partition, position) = (Partition::from_number(3).unwrap(), Position::new(0, 17).unwrap());
    Event { partition, position, envelope }
}

fn target() -> MessageId {
    MessageId::new(DateTime::UNIX_EPOCH, [3; 10])
}

/// Messages, with all there may be about them and with nothing.
fn messages() -> Vec<Event> {
    let content = Content::parse("hé\n").unwrap();
    let full = Some(BodyHash::of(&content, None));
    let message = |body_hash, reply_to| {
        event(Body::Message { content: Some(content.clone()), body_hash, reply_to })
    };
    vec![message(None, None), message(full, Some(target()))]
}

/// A change of every kind.
fn changes() -> Vec<Event> {
    let emoji = Emoji::parse("👍🏽").unwrap();
    let target = Target { message_id: target(), position: Position::new(0, 5).unwrap() };
    let acts = [
        Act::Edit { content: Content::parse("hé\n").ok() },
        Act::Edit { content: None },
        Act::Delete,
        Act::React { emoji, on: true },
        Act::Pin { on: false },
    ];
    acts.map(|act| event(Body::Change(Change { target, act }))).into()
}

fn document_of(event: &Event) -> RawDocumentBuf {
    match event.envelope.body.change() {
        Some(change) => changes::document::of_event(event, change),
        None => messages::document::of_event(event),
    }
}

fn as_said(document: &Document) -> Result<Event, BadField> {
    messages::document::to_message(document).map(StoredMessage::as_said)
}

fn reader(event: &Event) -> Read<Event> {
    if event.envelope.body.change().is_some() { changes::document::to_event } else { as_said }
}

#[test]
fn an_event_survives_the_archive() {
    for event in messages().into_iter().chain(changes()) {
        let document = Document::try_from(document_of(&event)).unwrap();
        assert_eq!(reader(&event)(&document), Ok(event));
    }
}

#[test]
fn what_became_of_a_message_does_not_hide_what_it_was() {
    let event = messages().pop().unwrap();
    let mut document = Document::try_from(document_of(&event)).unwrap();
    document.insert("original", "hé\n");
    document.insert("content", "another one");
    document.insert("edited_at", Time::from_millis(5));
    document.insert("changed", 30_i64);
    let stored = messages::document::to_message(&document).unwrap();
    assert_eq!(stored.event.envelope.body.content().unwrap().as_str(), "another one");
    assert_eq!(stored.changed, Position::new(0, 30).ok());
    assert_eq!(stored.as_said(), event);
}

#[test]
fn what_a_later_release_adds_does_no_harm_and_what_it_changes_is_named() {
    let keyed = messages().pop().unwrap();
    let good = Document::try_from(document_of(&keyed)).unwrap();
    let mut more = good.clone();
    more.insert("thread", "x");
    more.insert("type", "message");
    assert_eq!(as_said(&more).unwrap(), keyed);

    let of_messages = doc! {
        "partition": 3_i64, "pos": "17", "timestamp": "2023", "room_id": "No Room", "user_id": 1,
        "user_name": "", "content": "", "body_hash": "x", "type": "tombstone", "_id": "x",
        "reply_to": "x", "edited_at": 1, "deleted_at": 1, "changed": "1", "pinned": "yes",
        "original": 1, "reactions": { "a": 1 },
    };
    let react = changes().remove(3);
    let of_changes = doc! { "ref": 1, "ref_pos": "1", "emoji": "no", "on": 1 };
    let of_proposals = doc! { "proposal": 1 };
    // A person's has one of its own, of which `people/outage.rs` has the proof.
    let of_people = ["name"];
    let named = of_messages.keys().chain(of_changes.keys()).chain(of_proposals.keys());
    let named = named.map(String::as_str).chain(of_people);
    assert_eq!(named.collect::<BTreeSet<_>>(), metrics::DOCUMENT_FIELDS.into_iter().collect());
    let mut proposal = Document::try_from(document_of(&react)).unwrap();
    proposal.insert("type", "member");
    assert_eq!(reader(&react)(&proposal).unwrap_err(), "proposal", "it is not there");
    proposal.extend(of_proposals);
    assert_eq!(reader(&react)(&proposal).unwrap_err(), "proposal");
    for (event, faults) in [(&keyed, of_messages), (&react, of_changes)] {
        let good = Document::try_from(document_of(event)).unwrap();
        for (field, fault) in faults {
            let mut document = good.clone();
            document.insert(field.clone(), fault);
            assert_eq!(reader(event)(&document).unwrap_err(), field);
            let optional = ["type", "body_hash", "reply_to"];
            if good.contains_key(&field) && !optional.contains(&field.as_str()) {
                document.remove(&field);
                assert_eq!(reader(event)(&document).unwrap_err(), field, "left out");
            }
        }
    }
}

#[test]
fn a_document_is_named_by_its_id_of_whatever_type() {
    let id = |id: Bson| shown_id(&doc! { "_id": id, "at": Time::MIN });
    assert_eq!(id("\u{1b}[2J".into()), "\\u{1b}[2J");
    assert_eq!(id("x".repeat(1_000).into()).len(), ID_SHOWN);
    assert_eq!(id(ObjectId::from_bytes([1; 12]).into()), "01".repeat(12));
    assert_eq!(id(doc! { "private": "words" }.into()), "EmbeddedDocument");
    assert_eq!(shown_id(&doc! {}), "none");
}

#[test]
fn a_text_that_is_not_utf_8_is_its_own_documents_fault() {
    for event in messages() {
        let mut bytes = document_of(&event).into_bytes();
        let read = |bytes: &[u8]| {
            readable_raw(&RawDocumentBuf::from_bytes(bytes.to_vec()).unwrap(), as_said)
        };
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
