use super::*;

#[test]
fn every_message_in_a_frame_is_found_and_nothing_else() {
    let frame = format!("{} and\n{}", mark(7), mark(99_999_999));
    assert_eq!(marks(&frame).collect::<Vec<_>>(), [7, 99_999_999]);
    for frame in ["", "[#", "[#1234567#]", "[#1234567x#]", "[#00000001", "[#0000000é#]"] {
        assert_eq!(marks(frame).count(), 0, "{frame}");
    }
}

#[test]
fn messages_go_to_the_rooms_in_turn() {
    for (rooms, messages) in [(1, 7), (3, 7), (7, 7), (10, 7)] {
        let shares = (0..rooms).map(|room| Share { room, rooms });
        let places = |share: Share| (0..messages).filter_map(move |n| share.place(n));
        for share in shares.clone() {
            assert!(places(share).eq(0..share.of(messages)), "{share:?}");
        }
        assert_eq!(shares.map(|share| share.of(messages)).sum::<usize>(), messages as usize);
    }
}
