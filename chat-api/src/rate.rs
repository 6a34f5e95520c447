//! How fast one person, or one socket, may do something at one replica.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::state::keyed::DashMapStateStore;
use governor::{Quota, RateLimiter};

use crate::message::UserId;

/// How many questions come between two sweeps, which forget whoever has been idle. So no more
/// people are held than asked within the time a burst takes to come back, and this many.
const FORGET_EVERY: u32 = 1_000;

const DAY: Duration = Duration::from_hours(24);

/// How often something may be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// The sustained rate, in times a second.
    pub per_second: NonZeroU32,
    /// The burst: how many times at once, after a pause.
    pub burst: NonZeroU32,
}

impl Rate {
    /// Messages: 10 a second, 20 at once. More than a person types, less than one room bears.
    pub const SENDS: Self = Self::new(10, 20);
    /// Reads of the archive: 20 a second, 100 at once. A page has at most 200 messages, so whoever
    /// catches up gets 4,000 a second; reads take a few milliseconds each, so one person keeps a tenth
    /// of one connection busy, and a whole burst holds everybody else up for a tenth of a second.
    pub const READS: Self = Self::new(20, 100);
    /// Frames on one socket: 100 a second, 1,000 at once. What sends more than this is not a client.
    pub const FRAMES: Self = Self::new(100, 1_000);

    const fn new(per_second: u32, burst: u32) -> Self {
        Self { per_second: not_zero(per_second), burst: not_zero(burst) }
    }

    /// The same for the crate that counts.
    #[must_use]
    pub fn quota(self) -> Quota {
        Quota::per_second(self.per_second).allow_burst(self.burst)
    }
}

const fn not_zero(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).expect("a rate is not zero")
}

/// How often each person, or whoever else a `K` tells apart, did something lately.
pub struct Rates<C: Clock, K: Hash + Eq + Clone = UserId> {
    people: RateLimiter<K, DashMapStateStore<K>, C, NoOpMiddleware<C::Instant>>,
    asked: AtomicU32,
}

impl<C: Clock, K: Hash + Eq + Clone> Rates<C, K> {
    /// Everybody has a whole burst.
    #[must_use]
    pub fn new(rate: Rate, clock: C) -> Self {
        Self::of(rate.quota(), clock)
    }

    /// Everybody may do it so often a day, also at once.
    #[must_use]
    pub fn daily(times: NonZeroU32, clock: C) -> Self {
        let quota = Quota::with_period(DAY / times.get()).unwrap_or(Quota::per_hour(times));
        Self::of(quota.allow_burst(times), clock)
    }

    /// Everybody may do it once in so long.
    #[must_use]
    pub fn every(period: Duration, clock: C) -> Self {
        let once = NonZeroU32::MIN;
        let quota = Quota::with_period(period).unwrap_or(Quota::per_second(once));
        Self::of(quota.allow_burst(once), clock)
    }

    fn of(quota: Quota, clock: C) -> Self {
        let people = RateLimiter::new(quota, DashMapStateStore::default(), clock);
        Self { people, asked: AtomicU32::new(0) }
    }

    /// Whether a person may do it now.
    pub fn admits(&self, person: &K) -> bool {
        if self.asked.fetch_add(1, Ordering::Relaxed).is_multiple_of(FORGET_EVERY) {
            self.people.retain_recent();
        }
        self.people.check_key(person).is_ok()
    }
}

#[cfg(test)]
#[path = "rate_tests.rs"]
mod tests;
