use super::*;

#[test]
fn the_wait_doubles_from_five_seconds_to_ten_minutes_and_stays_there() {
    let waits = [0, 1, 2, 6, 7, 63, u32::MAX].map(|n| back_off(n).num_seconds());
    assert_eq!(waits, [5, 10, 20, 320, 600, 600, 600]);
}
