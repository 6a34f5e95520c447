use std::num::NonZeroU32;

use governor::clock::FakeRelativeClock;

use super::*;

/// One a second, three at once, three keys.
fn keyed() -> (Keyed<u32, FakeRelativeClock>, FakeRelativeClock) {
    let clock = FakeRelativeClock::default();
    let quota = Quota::per_second(NonZeroU32::MIN).allow_burst(NonZeroU32::new(3).unwrap());
    (Keyed::new(quota, 3, clock.clone()), clock)
}

#[test]
fn a_refusal_says_how_long_to_wait() {
    let (keyed, clock) = keyed();
    assert_eq!([1, 1, 1].map(|key| keyed.check(&key)), [Ok(()); 3]);
    assert_eq!(keyed.check(&1), Err(Duration::from_secs(1)));
    clock.advance(Duration::from_millis(999));
    assert_eq!(keyed.check(&1), Err(Duration::from_millis(1)));
    clock.advance(Duration::from_millis(1));
    assert_eq!(keyed.check(&1), Ok(()));
    assert_eq!(keyed.check(&1), Err(Duration::from_secs(1)));
}

#[test]
fn a_key_too_many_is_refused_until_a_sweep_while_those_that_are_held_go_on() {
    let (keyed, clock) = keyed();
    assert_eq!([1, 2, 3].map(|key| keyed.check(&key)), [Ok(()); 3]);
    assert_eq!(
        [4, 3, 4].map(|key| keyed.check(&key)),
        [Err(SWEEP_EVERY), Ok(()), Err(SWEEP_EVERY)]
    );
    clock.advance(Duration::from_secs(2));
    assert_eq!(keyed.check(&4), Err(SWEEP_EVERY), "time alone frees nothing");
    keyed.sweep();
    assert_eq!(keyed.check(&4), Ok(()));
}

#[test]
fn a_sweep_forgets_only_whom_it_owes_nothing() {
    let (keyed, clock) = keyed();
    assert_eq!([1, 1, 1, 2].map(|key| keyed.check(&key)), [Ok(()); 4]);
    clock.advance(Duration::from_secs(2));
    keyed.sweep();
    assert_eq!(keyed.keys(), 1);
    assert_eq!([1, 1].map(|key| keyed.check(&key)), [Ok(()); 2]);
    assert_eq!(keyed.check(&1), Err(Duration::from_secs(1)), "a sweep is no new burst");
    clock.advance(Duration::from_secs(4));
    keyed.sweep();
    assert_eq!(keyed.keys(), 0);
}
