//! Who is typing

use super::*;
use crate::message::{UserId, UserName};

const MOMENT: Duration = Duration::from_millis(1);

fn person(name: &str) -> Person {
    let user_name = UserName::parse(name).unwrap();
    Person { user_id: UserId::parse(name).unwrap(), user_name }
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).unwrap()
}

#[test]
fn the_first_sign_is_told_at_once_and_the_next_ones_once_a_second_together() {
    let (mut board, now) = (TypingBoard::default(), Instant::now());
    let attic = room("attic");
    assert_eq!(board.next(), None);
    assert!(board.note(&attic, person("ada"), now));
    assert_eq!(board.next(), Some(now));
    assert_eq!(board.due(now), [(attic.clone(), vec![person("ada")])]);
    assert_eq!(board.next(), None);

    for name in ["bob", "ada", "bob"] {
        assert!(board.note(&attic, person(name), now + MOMENT));
    }
    assert_eq!(board.next(), Some(now + ROOM_EVERY));
    assert_eq!(board.due(now + ROOM_EVERY - MOMENT), []);
    let together = vec![person("bob"), person("ada")];
    assert_eq!(board.due(now + ROOM_EVERY), [(attic.clone(), together)]);
    assert_eq!(board.due(now + 2 * ROOM_EVERY), []);

    let later = now + 3 * ROOM_EVERY;
    assert!(board.note(&attic, person("ada"), later));
    assert_eq!(board.next(), Some(later), "who types after a pause is told at once");
}

#[test]
fn of_a_crowd_that_types_a_few_are_told() {
    let (mut board, now) = (TypingBoard::default(), Instant::now());
    let noted =
        (0..1_000).filter(|number| board.note(&room("attic"), person(&number.to_string()), now));
    assert_eq!(noted.count(), TYPERS_MAX);
    assert_eq!(board.due(now)[0].1.len(), TYPERS_MAX);
}

#[test]
fn rooms_are_bounded_and_forgotten_when_nobody_types() {
    let (mut board, now) = (TypingBoard::default(), Instant::now());
    let noted = (0..ROOMS_MAX + 5)
        .filter(|number| board.note(&room(&number.to_string()), person("ada"), now));
    assert_eq!(noted.count(), ROOMS_MAX);
    assert_eq!(board.due(now).len(), ROOMS_MAX);
    assert!(!board.note(&room("attic"), person("ada"), now + MOMENT));
    assert_eq!(board.due(now + ROOM_EVERY), []);
    assert!(board.rooms.is_empty());
    assert!(board.note(&room("attic"), person("ada"), now + ROOM_EVERY));
}
