use super::*;

fn marker(person: &str, position: i64) -> Marker {
    Marker {
        room_id: RoomId::lobby(),
        user_id: UserId::parse(person).unwrap(),
        position: Position::from_raw(position).unwrap(),
    }
}

#[test]
fn what_is_remembered_of_a_person_goes_only_forward() {
    let known = KnownMarkers::default();
    let get = |person: &str| {
        known.get(&UserId::parse(person).unwrap(), &RoomId::lobby()).map(Position::raw)
    };
    for (position, then) in [(5, 5), (3, 5), (5, 5), (9, 9), (-1, 9)] {
        known.note(&marker("ada", position));
        assert_eq!(get("ada"), Some(then), "{position}");
    }
    assert_eq!(get("bob"), None);
}
