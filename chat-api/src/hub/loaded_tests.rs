use super::*;
use crate::hub::rooms::tests::{at, join, made, person};
use crate::message::Standing;

fn name(number: usize) -> RoomId {
    RoomId::parse(&format!("r{number}")).unwrap()
}

fn held(rooms: &LoadedRooms, count: usize) -> Vec<usize> {
    (0..count).filter(|number| rooms.holds(&name(*number))).collect()
}

#[test]
fn rooms_that_nobody_asked_for_the_longest_go_first_and_those_that_are_heard_stay() {
    let size = bytes(&made());
    let mut rooms = LoadedRooms::new(3 * size);
    for number in 0..4 {
        rooms.add(&name(number), made(), |room| *room == name(0));
        assert!(rooms.get(&name(1)).is_some() || number == 0);
    }
    assert_eq!(held(&rooms, 4), [0, 1, 3]);
    assert_eq!(rooms.bytes, 3 * size);
}

#[test]
fn the_room_that_is_added_stays_although_all_others_are_heard() {
    let mut rooms = LoadedRooms::new(1);
    for number in 0..3 {
        rooms.add(&name(number), made(), |room| *room != name(2));
    }
    assert_eq!(held(&rooms, 3), [0, 1, 2]);
    rooms.add(&name(3), made(), |_| false);
    assert_eq!(held(&rooms, 4), [3], "as soon as nobody hears them they go");
}

#[test]
fn a_room_grows_by_what_is_decided_and_its_bytes_follow() {
    let mut rooms = LoadedRooms::new(usize::MAX);
    rooms.add(&name(0), made(), |_| false);
    assert_eq!(rooms.decide(&join(1, "elsewhere", "bob")), None, "of others nothing is known");
    let before = rooms.bytes;
    assert_eq!(rooms.decide(&join(1, "r0", "bob")), Some(Verdict::Accepted));
    assert_eq!(rooms.decide(&join(2, "r0", "bob")), Some(Verdict::Void));
    let state = rooms.get(&name(0)).unwrap();
    assert_eq!(
        (state.standing(&person("bob")), state.position(&person("bob"))),
        (Some(Standing::Member), at(1))
    );
    let bytes = bytes(state);
    assert!(rooms.bytes == bytes && bytes > before);
    rooms.remove(&name(0));
    rooms.remove(&name(0));
    assert_eq!(rooms.bytes, 0);
}
