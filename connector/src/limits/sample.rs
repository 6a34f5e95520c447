//! One line of the audit trail a minute for each throttled network.

use std::num::NonZeroUsize;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;
use service_process::network::Network;

/// A network that is throttled is refused up to thousands of times a second; that it is, one line
/// a minute tells as well.
const ONCE_IN: TimeDelta = TimeDelta::minutes(1);

/// About 90 bytes each, so 9 MB. The network that was written of longest ago is forgotten first,
/// and then gets a line too many.
const MOST_NETWORKS: NonZeroUsize = NonZeroUsize::new(100_000).expect("not 0");

/// Remembers when each network was last written of. Per replica.
#[derive(Debug)]
pub struct Sampler(Mutex<LruCache<Network, DateTime<Utc>>>);

impl Sampler {
    /// Remembers nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self(Mutex::new(LruCache::sparse(MOST_NETWORKS)))
    }

    /// Whether this is the first time in a minute. If so, the minute begins now.
    #[must_use]
    pub fn first_in_minute(&self, network: Network, now: DateTime<Utc>) -> bool {
        // No step under the lock can leave half a change.
        let mut written = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // `peek` keeps the order that of the lines written.
        if written.peek(&network).is_some_and(|last| now < *last + ONCE_IN) {
            return false;
        }
        written.put(network, now);
        true
    }
}

impl Default for Sampler {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[path = "sample_tests.rs"]
mod tests;
