//! How fast one person may do something

use std::time::Duration;

use governor::clock::FakeRelativeClock;

use super::*;

fn person(number: u32) -> UserId {
    UserId::parse(&format!("person-{number}")).unwrap()
}

#[test]
fn a_burst_passes_then_the_rate_and_others_are_not_touched() {
    let clock = FakeRelativeClock::default();
    let rates = Rates::new(Rate::SENDS, clock.clone());
    let admitted = (0..50).filter(|_| rates.admits(&person(1))).count();
    assert_eq!(admitted, 20);
    clock.advance(Duration::from_secs(1));
    let admitted = (0..50).filter(|_| rates.admits(&person(1))).count();
    assert_eq!(admitted, 10);
    assert!(rates.admits(&person(2)));
}

#[test]
fn who_is_silent_is_forgotten() {
    let clock = FakeRelativeClock::default();
    let rates = Rates::new(Rate::SENDS, clock.clone());
    for number in 0..50_000 {
        rates.admits(&person(number));
        clock.advance(Duration::from_millis(10));
    }
    let most = usize::try_from(FORGET_EVERY).unwrap() + 200;
    assert!(rates.people.len() <= most, "{} people are held", rates.people.len());
}
