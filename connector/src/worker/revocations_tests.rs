use super::*;

#[test]
fn the_wait_doubles_up_to_ten_seconds_and_stays_there() {
    let waits = [0, 1, 2, 3, 4, 5, 62, 63, 64, u32::MAX].map(|n| back_off(n).num_seconds());
    assert_eq!(waits, [1, 2, 4, 8, 10, 10, 10, 10, 10, 10]);
}
