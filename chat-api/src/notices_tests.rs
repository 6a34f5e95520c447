//! Who is told what, as far as no room has to be known for it.

use super::*;
use crate::message::{Partition, Position, RoomName};
use crate::rooms::{Phase, Room, RoomKind};
use crate::ws::notes::Removed;

fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).unwrap()
}

fn cursor(raw: i64) -> Cursor {
    Cursor {
        partition: Partition::from_number(0).unwrap(),
        position: Position::from_raw(raw).unwrap(),
    }
}

fn added(name: &str) -> Added {
    let shown = RoomName::parse(name).unwrap();
    let shown = Room { kind: RoomKind::Group, name: Some(shown), phase: Phase::Open };
    Added::of(&room(name), shown, cursor(1))
}

#[test]
fn the_rooms_of_a_person_are_read_once_for_all_sockets_and_again_when_they_come_back() {
    let (notices, mut errands) = Notices::new();
    let first = notices.enter(&person("ada"), Arc::default());
    let second = notices.enter(&person("ada"), Arc::default());
    assert!(matches!(errands.try_recv(), Ok(Errand::RoomsOf(who)) if who == person("ada")));
    assert!(errands.try_recv().is_err());
    drop(first);
    assert!(notices.is_here(&person("ada")));
    drop(second);
    assert!(!notices.is_here(&person("ada")));
    let _again = notices.enter(&person("ada"), Arc::default());
    assert!(matches!(errands.try_recv(), Ok(Errand::RoomsOf(_))));
}

#[test]
fn all_sockets_of_a_person_are_told_where_they_are_and_whoever_hears_a_room_is_not_told_of_it() {
    let (notices, _errands) = Notices::new();
    let listener = notices.enter(&person("ada"), Arc::default());
    let other = notices.enter(&person("ada"), Arc::default());
    let subscription = listener.hear(&room("attic"));
    notices.lock().people.came(&person("ada"), &room("attic"), &added("attic"));
    for socket in [&listener, &other] {
        assert_eq!(socket.inbox().take(true).added, [added("attic")]);
        assert!(!socket.inbox().has_news());
    }
    assert_eq!(notices.lock().people.who_do_not_hear(&room("attic")).len(), 1);
    drop(subscription);
    assert_eq!(notices.lock().people.who_do_not_hear(&room("attic")).len(), 2);
    notices.lock().people.went(&person("ada"), &room("attic"), cursor(2));
    let gone = [Removed { room_id: room("attic"), cursor: cursor(2) }];
    assert_eq!(other.inbox().take(false).removed, gone);
    assert!(notices.lock().people.who_do_not_hear(&room("attic")).is_empty());
}

#[test]
fn the_newest_rooms_are_kept_and_nothing_of_those_who_left() {
    let (notices, _errands) = Notices::new();
    let socket = notices.enter(&person("ada"), Arc::default());
    let before = (0..200).map(|number| room(&format!("room-{number}")));
    notices.know(&person("ada"), before);
    let is_listed = |name: &str| !notices.lock().people.who_do_not_hear(&room(name)).is_empty();
    assert!(is_listed("room-0") && is_listed("room-127") && !is_listed("room-128"));
    notices.lock().people.came(&person("ada"), &room("newest"), &added("newest"));
    assert!(is_listed("newest") && is_listed("room-0") && !is_listed("room-127"));
    drop(socket);
    assert!(notices.lock().people.is_empty());
}
