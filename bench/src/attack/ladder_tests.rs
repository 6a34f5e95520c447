use super::*;

fn minutes(minutes: u64) -> Duration {
    Duration::from_secs(60 * minutes)
}

#[test]
fn half_an_hour_and_more_have_what_is_promised() {
    let ladder = Ladder::shortened(30);
    assert_eq!(ladder, Ladder::shortened(600));
    for (minute, allowed) in [(0, 10), (1, 15), (3, 20), (7, 25), (15, 30), (30, 30), (31, 35)] {
        assert_eq!(ladder.allowed(minutes(minute)), allowed, "{minute}");
    }
    for (minute, allowed) in [(62, 35), (63, 40), (302, 55), (303, 60), (1440, 60)] {
        assert_eq!(ladder.allowed(minutes(minute)), allowed, "{minute}");
    }
    assert_eq!(ladder.allowed(Duration::from_millis(59_999)), 10);
}

#[test]
fn a_shorter_attack_climbs_as_many_steps() {
    let ladder = Ladder::shortened(3);
    assert_eq!(ladder.first_pause, Duration::from_secs(6));
    assert_eq!(ladder.allowed(minutes(3)), Ladder::shortened(30).allowed(minutes(30)));
}

#[test]
fn the_pauses_are_those_that_the_sum_is_made_of() {
    let ladder = Ladder::shortened(30);
    let (mut opens, mut failures) = (Duration::ZERO, FIRST);
    while failures < CLOSED {
        assert_eq!(ladder.pause_after(failures + 1), Duration::ZERO);
        opens += ladder.pause_after(failures);
        failures += STEP;
        assert_eq!(ladder.allowed(opens), failures);
    }
}
