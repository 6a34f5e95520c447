use super::*;

fn marker(person: &str, position: i64) -> Marker {
    Marker {
        room_id: RoomId::lobby(),
        user_id: UserId::parse(person).unwrap(),
        position: Position::from_raw(position).unwrap(),
    }
}

/// What is told after a number, up to which number, and whether there is more.
fn told(boards: &MarkerBoards, after: u64) -> (Vec<u8>, u64, bool) {
    let MarkerFrames { upto, bytes, more, .. } = boards.after(&RoomId::lobby(), after);
    (bytes.to_vec(), upto, more)
}

#[test]
fn whoever_was_told_nothing_is_told_the_latest_of_each_person_once() {
    let (mut boards, now) = (MarkerBoards::default(), Instant::now());
    let mut note = |person: &str, position: i64, frame: &'static [u8]| {
        boards.note(&marker(person, position), Bytes::from_static(frame), now);
    };
    note("ada", 1, b"a1");
    note("bob", 1, b"b1");
    note("ada", 3, b"a3");
    note("ada", 2, b"a2");
    note("bob", 1, b"b1 again");
    assert_eq!(told(&boards, 0), (b"b1a3".to_vec(), 3, false));
    assert_eq!(told(&boards, 2), (b"a3".to_vec(), 3, false), "who knew of bob");
    assert_eq!(told(&boards, 3), (Vec::new(), 3, false));
    let elsewhere = RoomId::parse("attic").unwrap();
    assert!(boards.after(&elsewhere, 0).bytes.is_empty());
}

#[test]
fn much_is_told_in_pieces_and_nothing_is_left_out() {
    let (mut boards, now) = (MarkerBoards::default(), Instant::now());
    for number in 0..100 {
        let frame = Bytes::from(vec![b'x'; 300]);
        boards.note(&marker(&format!("p{number}"), number), frame, now);
    }
    let (mut bytes, mut after, mut pieces) = (0, 0, 0);
    loop {
        let (piece, upto, more) = told(&boards, after);
        assert!(piece.len() <= PIECE, "{}", piece.len());
        (bytes, after, pieces) = (bytes + piece.len(), upto, pieces + 1);
        if !more {
            break;
        }
    }
    assert_eq!((bytes, pieces), (30_000, 3));
}

#[test]
fn what_nobody_waits_for_any_more_is_forgotten_and_its_numbers_are_not_used_again() {
    let (mut boards, now) = (MarkerBoards::default(), Instant::now());
    boards.note(&marker("ada", 1), Bytes::from_static(b"a1"), now);
    let mut other = marker("bob", 1);
    other.room_id = RoomId::parse("attic").unwrap();
    boards.note(&other, Bytes::from_static(b"b1"), now + KEPT);
    assert_eq!(told(&boards, 0), (Vec::new(), 0, false));
    boards.note(&marker("ada", 1), Bytes::from_static(b"a1"), now + KEPT);
    assert_eq!(told(&boards, 1), (b"a1".to_vec(), 3, false), "whoever was told then is told anew");
}
