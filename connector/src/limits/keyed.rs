//! One rate for many keys, in bounded memory.

use std::fmt;
use std::hash::Hash;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::Clock;
use governor::middleware::NoOpMiddleware;
use governor::nanos::Nanos;
use governor::state::StateStore;
use governor::state::keyed::{DashMapStateStore, ShrinkableKeyedStateStore};
use governor::{Quota, RateLimiter};

use crate::metrics::LIMIT_REFUSALS;

/// How often [`Keyed::sweep`] is due. A key holds nothing once its burst is full again, which
/// takes half a minute for one that used all of it, so most keys go at the first or second sweep.
pub const SWEEP_EVERY: Duration = Duration::from_secs(30);

/// A limiter that holds a key from its first use until a sweep finds its burst full again.
pub(super) struct Keyed<K: Hash + Eq + Clone, C: Clock> {
    keys: Keys<K>,
    limiter: RateLimiter<K, Keys<K>, C, NoOpMiddleware<C::Instant>>,
    most_keys: usize,
}

impl<K: Hash + Eq + Clone, C: Clock> Keyed<K, C> {
    pub(super) fn new(quota: Quota, most_keys: usize, clock: C) -> Self {
        let keys = Keys(Arc::default());
        Self { limiter: RateLimiter::new(quota, keys.clone(), clock), keys, most_keys }
    }

    /// Lets one attempt in, or says how long to wait. When there are too many keys, a new one is
    /// refused until the next sweep and those that are held go on. Each thread that asks at that
    /// very moment may still add one.
    pub(super) fn check(&self, key: &K) -> Result<(), Duration> {
        // The cheaper question first: `contains_key` locks one part of the map, `len` all of them.
        if !self.holds(key) && self.keys() >= self.most_keys {
            return Err(SWEEP_EVERY);
        }
        self.limiter
            .check_key(key)
            .map_err(|refused| refused.wait_time_from(self.limiter.clock().now()))
    }

    pub(super) fn holds(&self, key: &K) -> bool {
        self.keys.0.contains_key(key)
    }

    pub(super) fn keys(&self) -> usize {
        self.keys.0.len()
    }

    /// Forgets the keys whose burst is full again, and gives their memory back. Governor does
    /// neither by itself.
    pub(super) fn sweep(&self) {
        self.limiter.retain_recent();
        self.limiter.shrink_to_fit();
    }
}

/// Counts a refusal of this limit, and hands on how long to wait.
pub(super) fn refused(limit: &'static str, wait: Duration) -> Duration {
    metrics::counter!(LIMIT_REFUSALS, "limit" => limit).increment(1);
    wait
}

impl<K: Hash + Eq + Clone, C: Clock> fmt::Debug for Keyed<K, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keyed").field("keys", &self.keys()).finish_non_exhaustive()
    }
}

/// Governor's own map, shared with [`Keyed`] so that it can ask whether a key is held.
struct Keys<K: Hash + Eq>(Arc<DashMapStateStore<K>>);

impl<K: Hash + Eq> Clone for Keys<K> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<K: Hash + Eq + Clone> StateStore for Keys<K> {
    type Key = K;

    fn measure_and_replace<T, F, E>(&self, key: &K, measure: F) -> Result<T, E>
    where
        F: Fn(Option<Nanos>) -> Result<(T, Nanos), E>,
    {
        self.0.measure_and_replace(key, measure)
    }
}

impl<K: Hash + Eq + Clone> ShrinkableKeyedStateStore<K> for Keys<K> {
    fn retain_recent(&self, drop_below: Nanos) {
        ShrinkableKeyedStateStore::retain_recent(&*self.0, drop_below);
    }

    fn shrink_to_fit(&self) {
        ShrinkableKeyedStateStore::shrink_to_fit(&*self.0);
    }

    fn len(&self) -> usize {
        self.0.len()
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
#[path = "keyed_tests.rs"]
mod tests;
