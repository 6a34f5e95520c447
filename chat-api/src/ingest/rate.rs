//! How fast one person may speak at one replica.

use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::message::UserId;

/// After so many questions those are forgotten who have been silent. So no more people are held than
/// spoke within the time a burst takes to come back, and this many.
const FORGET_EVERY: u32 = 1_000;

/// How fast one person may speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Messages a second, for as long as one likes.
    pub per_second: NonZeroU32,
    /// Messages at once.
    pub burst: NonZeroU32,
}

impl Default for Rate {
    /// 10 a second, 20 at once: more than a person types, less than one room bears.
    fn default() -> Self {
        const PER_SECOND: NonZeroU32 = NonZeroU32::new(10).expect("ten is not zero");
        const BURST: NonZeroU32 = NonZeroU32::new(20).expect("twenty is not zero");
        Self { per_second: PER_SECOND, burst: BURST }
    }
}

/// How fast everybody spoke lately.
pub struct Rates<C: Clock> {
    people: RateLimiter<UserId, DashMapStateStore<UserId>, C, NoOpMiddleware<C::Instant>>,
    asked: AtomicU32,
}

impl<C: Clock> Rates<C> {
    /// Nobody spoke yet.
    #[must_use]
    pub fn new(rate: Rate, clock: C) -> Self {
        let quota = Quota::per_second(rate.per_second).allow_burst(rate.burst);
        let people = RateLimiter::new(quota, DashMapStateStore::default(), clock);
        Self { people, asked: AtomicU32::new(0) }
    }

    /// Whether a person may speak now.
    pub fn admits(&self, person: &UserId) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            self.people.retain_recent();
        }
        self.people.check_key(person).is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use governor::clock::FakeRelativeClock;

    use super::*;

    fn person(number: u32) -> UserId {
        UserId::parse(&format!("person-{number}")).unwrap()
    }

    #[test]
    fn a_burst_passes_then_the_rate_and_others_are_not_touched() {
        let clock = FakeRelativeClock::default();
        let rates = Rates::new(Rate::default(), clock.clone());
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
        let rates = Rates::new(Rate::default(), clock.clone());
        for number in 0..50_000 {
            rates.admits(&person(number));
            clock.advance(Duration::from_millis(10));
        }
        let most = usize::try_from(FORGET_EVERY).unwrap() + 200;
        assert!(rates.people.len() <= most, "{} people are held", rates.people.len());
    }
}
