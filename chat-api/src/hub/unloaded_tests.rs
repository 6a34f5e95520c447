use super::*;

fn room(number: usize) -> RoomId {
    RoomId::parse(&format!("room-{number}")).unwrap()
}

#[test]
fn rooms_are_told_apart_until_there_are_too_many_to_remember() {
    let mut unloaded = Unloaded::default();
    for number in 0..ROOMS_MAX {
        assert!(!unloaded.holds(&room(number)));
        assert!(unloaded.add(&room(number)));
        assert!(!unloaded.add(&room(number)), "it was there");
    }
    assert!(unloaded.holds(&room(ROOMS_MAX)), "of the others nothing is certain");
    assert!(!unloaded.add(&room(ROOMS_MAX)), "and nothing more is kept");
    assert_eq!(unloaded.rooms.len(), ROOMS_MAX);
}
