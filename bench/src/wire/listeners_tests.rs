use super::*;

#[test]
fn every_message_in_a_frame_is_found_and_nothing_else() {
    let frame = format!("{} and\n{}", mark(7), mark(99_999_999));
    assert_eq!(marks(&frame).collect::<Vec<_>>(), [7, 99_999_999]);
    for frame in ["", "[#", "[#1234567#]", "[#1234567x#]", "[#00000001", "[#0000000é#]"] {
        assert_eq!(marks(frame).count(), 0, "{frame}");
    }
}
