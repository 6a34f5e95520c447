use chrono::DateTime;

use super::*;
use crate::message::{Body, Content, Envelope, UserId, UserName};

/// An event of the lobby, at this offset and with an id of its own.
fn event(offset: u8, text: &str) -> Event {
    let body = Body::Message { content: Content::parse(text).unwrap(), body_hash: None };
    let envelope = Envelope {
        message_id: MessageId::new(DateTime::UNIX_EPOCH, [offset; 10]),
        room_id: RoomId::lobby(),
        user_id: UserId::parse("u").unwrap(),
        user_name: UserName::parse("Ada").unwrap(),
        timestamp: DateTime::UNIX_EPOCH,
        body,
    };
    let partition = Partition::from_number(1).unwrap();
    Event { partition, position: Position::new(0, i64::from(offset)).unwrap(), envelope }
}

#[test]
fn whoever_reads_after_an_event_was_replaced_gets_the_other_one_in_its_place() {
    let room = RoomId::lobby();
    let [other, partition] = [0, 1].map(|number| Partition::from_number(number).unwrap());
    let hub = Arc::new(Hub::new(&[Position::FIRST; 2], 1 << 20, SPAN));
    let listening = hub.listen(partition, &room, &Arc::new(Wake::default()));
    let [first, second] = [event(0, "first"), event(1, "second")];
    assert_eq!([hub.take(&first), hub.take(&second)], [Taken::New; 2]);
    assert!(listening.take_news());

    let blank = || Entry::of(&event(0, "blank"), None);
    assert!(!hub.replace(other, blank()), "another partition holds nothing there");
    assert!(hub.replace(partition, blank()));
    assert!(!listening.take_news(), "it is no event of its own");
    let page = hub.read(partition, &room, Position::FIRST, usize::MAX).unwrap();
    let frames: Vec<_> = page.entries.iter().map(|entry| entry.frame()).collect();
    let previous = Some(first.position);
    assert_eq!(frames, [blank().frame(), Entry::of(&second, previous).frame()]);
    assert_eq!((page.next, page.head), (second.position.next(), second.position.next()));
    let recalled = hub.recall(partition, first.envelope.message_id).unwrap();
    assert_eq!(recalled.position, first.position, "its id is known as before");
}
