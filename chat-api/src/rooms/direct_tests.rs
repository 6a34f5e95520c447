use super::*;

fn room(one: &str, other: &str) -> Option<RoomId> {
    room_of(&UserId::parse(one).unwrap(), &UserId::parse(other).unwrap())
}

#[test]
fn a_pair_has_one_room_and_another_pair_another() {
    let ids = [("ada", "bob"), ("ada", "eve"), ("adab", "ob"), ("a", "dabob"), ("ada", "bo")];
    let ids = ids.map(|(one, other)| {
        assert_eq!(room(one, other), room(other, one));
        room(one, other).unwrap()
    });
    let mut different = ids.to_vec();
    different.sort();
    different.dedup();
    assert_eq!(different.len(), ids.len());
    assert!(ids.iter().all(|id| id.as_str().len() == 32), "no UUID, and not the lobby");
    assert_eq!(room("ada", "ada"), None);
}

#[test]
fn the_room_of_a_pair_is_the_same_in_every_release() {
    // printf '\0\0\0\0\0\0\0\3ada\0\0\0\0\0\0\0\3bob' | sha256sum
    assert_eq!(room("bob", "ada").unwrap().as_str(), "4796e8e725dd3f72258660b002bcb95b");
}
