use chrono::DateTime;

use super::*;
use crate::message::{Body, Emoji, Envelope, MessageId, Partition, RoomId, Target, UserName};

/// The place of the message that everything here is done to.
const SAID: i64 = 10;

fn id() -> MessageId {
    MessageId::new(DateTime::UNIX_EPOCH, [1; 10])
}

fn at(raw: i64) -> Position {
    Position::from_raw(raw).unwrap()
}

fn done(raw: i64, who: &str, act: Act) -> Event {
    let target = Target { message_id: id(), position: at(SAID) };
    let envelope = Envelope {
        message_id: MessageId::new(DateTime::UNIX_EPOCH, [2; 10]),
        room_id: RoomId::lobby(),
        user_id: UserId::parse(who).unwrap(),
        user_name: UserName::parse("Ada").unwrap(),
        timestamp: DateTime::from_timestamp_millis(raw * 1_000).unwrap(),
        body: Body::Change(Change { target, act }),
    };
    Event { partition: Partition::from_number(0).unwrap(), position: at(raw), envelope }
}

fn edit(text: &str) -> Act {
    Act::Edit { content: Content::parse(text).ok() }
}

fn react(emoji: &str, on: bool) -> Act {
    Act::React { emoji: Emoji::parse(emoji).unwrap(), on }
}

fn said() -> Document {
    doc! { "_id": id().to_string(), "pos": SAID, "content": "first" }
}

fn folded<'a>(document: &Document, events: impl IntoIterator<Item = &'a Event>) -> MessageState {
    let mut state = MessageState::of(document).unwrap();
    for event in events {
        state.apply(event, event.envelope.body.change().unwrap());
    }
    state
}

/// What MongoDB makes of a document by an update, as far as these updates go.
fn updated(document: &Document, (guard, update): (Document, Document)) -> Document {
    let mut document = document.clone();
    let is_it = document.get("changed").unwrap_or(&Bson::Null) == guard.get("changed").unwrap();
    assert!(is_it, "the guard lets it pass");
    for (field, value) in update.get_document("$set").unwrap() {
        match field.strip_prefix("reactions.") {
            None => drop(document.insert(field, value.clone())),
            Some(emoji) => {
                let none = || Bson::Document(Document::new());
                let reactions = document.entry("reactions".to_owned()).or_insert_with(none);
                reactions.as_document_mut().unwrap().insert(emoji, value.clone());
            }
        }
    }
    for field in update.get_document("$unset").into_iter().flat_map(Document::keys) {
        match field.strip_prefix("reactions.") {
            None => drop(document.remove(field)),
            Some(emoji) => drop(document.get_document_mut("reactions").unwrap().remove(emoji)),
        }
    }
    document
}

/// A batch is folded and stored.
fn after(document: &Document, events: &[Event]) -> Document {
    let before = MessageState::of(document).unwrap();
    let update = before.update(&folded(document, events));
    update.map_or_else(|| document.clone(), |update| updated(document, update))
}

#[test]
fn a_text_is_the_last_one_and_the_first_one_is_kept() {
    let stored = after(&said(), &[done(11, "a", edit("second")), done(13, "a", edit("third"))]);
    assert_eq!(stored.get_str("content").unwrap(), "third");
    assert_eq!(stored.get_str("original").unwrap(), "first");
    assert_eq!(stored.get_datetime("edited_at").unwrap().timestamp_millis(), 13_000);
    assert_eq!(stored.get_i64("changed").unwrap(), 13);
}

#[test]
fn a_deletion_is_final_and_leaves_nothing_that_was_said() {
    let mut document = said();
    document.insert("body_hash", "00112233445566778899aabbccddeeff");
    let before = [done(11, "a", edit("second")), done(12, "b", react("👍", true))];
    let stored = after(&document, &before);
    assert!(stored.contains_key("original") && stored.contains_key("reactions"));
    let late = [
        done(13, "a", Act::Delete),
        done(14, "a", edit("third")),
        done(15, "b", react("👍", true)),
        done(16, "b", Act::Pin { on: true }),
        done(17, "a", Act::Delete),
    ];
    let stored = after(&stored, &late);
    let fields: Vec<_> = stored.keys().map(String::as_str).collect();
    assert_eq!(fields, ["_id", "pos", "changed", "deleted_at"]);
    assert_eq!(stored.get_datetime("deleted_at").unwrap().timestamp_millis(), 13_000);
}

#[test]
fn a_person_reacts_once_with_each_emoji_and_takes_back_only_what_is_theirs() {
    let events = [
        done(11, "a", react("👍", true)),
        done(12, "a", react("👍", true)),
        done(13, "b", react("👍", true)),
        done(14, "b", react("❤️", true)),
        done(15, "c", react("👍", false)),
        done(16, "a", react("👍", false)),
    ];
    let stored = after(&said(), &events);
    assert_eq!(stored.get_document("reactions").unwrap(), &doc! { "👍": ["b"], "❤️": ["b"] });
    let none = [done(17, "b", react("👍", false)), done(18, "b", react("❤️", false))];
    assert_eq!(after(&stored, &none).get_document("reactions").unwrap(), &doc! {});
}

#[test]
fn reactions_beyond_the_limits_change_nothing_however_many_come() {
    let events: Vec<Event> = (0..10_000)
        .map(|number| done(11 + number, &format!("u{number}"), react("👍", true)))
        .collect();
    let stored = after(&said(), &events);
    let people = stored.get_document("reactions").unwrap().get_array("👍").unwrap();
    assert_eq!(people.len(), Change::REACTIONS_MAX);
    assert_eq!(stored.get_i64("changed").unwrap(), 10_010);

    let kind = |number: u32| char::from_u32(0x1f600 + number).unwrap().to_string();
    let kinds: Vec<Event> = (0..30)
        .map(|number| done(11 + i64::from(number), "a", react(&kind(number), true)))
        .collect();
    let stored = after(&said(), &kinds);
    assert_eq!(stored.get_document("reactions").unwrap().len(), Change::EMOJI_MAX);
    let other = [done(50, "b", react(&kind(0), true)), done(51, "b", react(&kind(25), true))];
    let stored = after(&stored, &other);
    let reactions = stored.get_document("reactions").unwrap();
    assert_eq!((reactions.len(), reactions.get_array(kind(0)).unwrap().len()), (20, 2));
}

#[test]
fn what_stands_before_the_message_itself_was_not_done_to_it() {
    let early = [done(9, "a", edit("before")), done(SAID, "a", Act::Delete)];
    assert_eq!(after(&said(), &early), said());
}

/// Small numbers that look random.
fn random(seed: &mut u64, below: usize) -> usize {
    *seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*seed >> 33).unwrap() % below
}

#[test]
fn in_whatever_batches_and_however_often_from_further_back_it_comes_to_the_same() {
    for case in 0..500 {
        let mut seed = case;
        let events: Vec<Event> = (0..30)
            .map(|place| {
                let act = match random(&mut seed, 20) {
                    0 => Act::Delete,
                    1..5 => edit(&format!("text {place}")),
                    5..7 => Act::Pin { on: random(&mut seed, 2) == 0 },
                    n => react(["👍", "❤️", "🎉"][n % 3], random(&mut seed, 3) > 0),
                };
                done(11 + place, ["a", "b", "c"][random(&mut seed, 3)], act)
            })
            .collect();
        let expected = after(&said(), &events);
        let (mut stored, mut from) = (said(), 0);
        while from < events.len() {
            let to = (from + 1 + random(&mut seed, 8)).min(events.len());
            stored = after(&stored, &events[from..to]);
            // It dies now and then, and begins further back.
            from = if random(&mut seed, 3) == 0 { to.saturating_sub(6) } else { to };
            from = if from < to && random(&mut seed, 2) == 0 { to } else { from };
        }
        assert_eq!(plain(&stored), plain(&expected), "case {case}");
        assert_eq!(after(&stored, &events), stored, "the whole log once more");
    }
}

/// The fields by name. One without reactions is the same as one with none.
fn plain(document: &Document) -> std::collections::BTreeMap<String, Bson> {
    let empty = Bson::Document(Document::new());
    let fields = document.iter().filter(|(_, value)| **value != empty);
    fields.map(|(field, value)| (field.clone(), value.clone())).collect()
}
