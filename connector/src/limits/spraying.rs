//! Networks that try many names: a few common passwords against every account stay below each
//! account's limit, and are seen only from where they come.

use std::num::{NonZeroU32, NonZeroUsize};
use std::sync::{Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use lru::LruCache;
use service_process::network::Network;

use super::name_tag::{NameTag, tag};
use crate::keys::NameKey;
use crate::metrics::{SPRAYING_BLOCKS, SPRAYING_NETWORKS};

/// In which time the distinct names are counted.
const WINDOW: TimeDelta = TimeDelta::hours(1);

/// How long the first block lasts. Each further one lasts twice as long as the one before.
const FIRST_BLOCK: TimeDelta = TimeDelta::minutes(15);

/// The longest block, the eighth and all after it: 15 min · 2⁷ would be 32 h.
const LONGEST_BLOCK: TimeDelta = TimeDelta::hours(24);

/// How long after its last block a network is taken for innocent again.
const REMEMBERED: TimeDelta = TimeDelta::hours(24);

/// The most networks that are watched.
const MOST_NETWORKS: usize = 200_000;

/// The most names that are held, for all networks together: 16 for each of them at the default.
/// At 20 bytes each that is 64 MB, and 110 MB with all around them, reached only by an attack from
/// 200,000 networks with 15 names each; with one name each it is 41 MB. A higher limit of names
/// makes fewer networks, not more memory.
const MOST_NAMES: usize = 16 * MOST_NETWORKS;

/// Which networks failed with which names, and which of them are blocked for that. Per replica.
#[derive(Debug)]
pub struct Spraying {
    names: usize,
    networks: Mutex<LruCache<Network, Suspect>>,
}

#[derive(Debug, Default)]
struct Suspect {
    failures: Vec<Failure>,
    blocks: u32,
    blocked_until: Option<DateTime<Utc>>,
}

#[derive(Debug)]
struct Failure {
    name: NameTag,
    at: DateTime<Utc>,
}

impl Spraying {
    /// Lets each network fail with this many distinct names an hour.
    #[must_use]
    pub fn new(names: NonZeroU32) -> Self {
        let names = usize::try_from(names.get()).unwrap_or(usize::MAX);
        let networks = MOST_NAMES / names.saturating_add(1);
        let networks = NonZeroUsize::new(networks).unwrap_or(NonZeroUsize::MIN);
        Self { names, networks: Mutex::new(LruCache::sparse(networks)) }
    }

    /// Counts a failed attempt with this name. One name too many begins a block, and the count
    /// then begins anew. During a block nothing is counted: who is verified then is known, and
    /// mistypes.
    pub fn failed(&self, network: Network, name_key: &NameKey, now: DateTime<Utc>) {
        let mut networks = self.lock();
        let suspect = networks.get_or_insert_mut(network, Suspect::default);
        if suspect.is_blocked(now) {
            return;
        }
        suspect.forget(now);
        suspect.add(tag(name_key), now);
        if suspect.failures.len() > self.names {
            suspect.block(now);
            metrics::counter!(SPRAYING_BLOCKS).increment(1);
        }
    }

    /// Whether attempts of pairs that are not known are to be refused unverified.
    #[must_use]
    pub fn is_sprayed(&self, network: Network, now: DateTime<Utc>) -> bool {
        // `get` rather than `peek`: who goes on trying is not idle, and stays.
        self.lock().get(&network).is_some_and(|suspect| suspect.is_blocked(now))
    }

    /// Forgets the networks of which nothing is to be remembered.
    pub fn sweep(&self, now: DateTime<Utc>) {
        let mut blocked = 0_u32;
        self.lock().retain(|_, suspect| {
            suspect.forget(now);
            blocked += u32::from(suspect.is_blocked(now));
            !suspect.is_idle()
        });
        metrics::gauge!(SPRAYING_NETWORKS).set(f64::from(blocked));
    }

    fn lock(&self) -> MutexGuard<'_, LruCache<Network, Suspect>> {
        // No step under the lock can leave half a change.
        self.networks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Suspect {
    fn is_blocked(&self, now: DateTime<Utc>) -> bool {
        self.blocked_until.is_some_and(|until| now < until)
    }

    fn is_idle(&self) -> bool {
        self.failures.is_empty() && self.blocked_until.is_none()
    }

    fn forget(&mut self, now: DateTime<Utc>) {
        self.failures.retain(|failure| now < failure.at + WINDOW);
        if self.blocked_until.is_some_and(|until| until + REMEMBERED <= now) {
            self.blocked_until = None;
            self.blocks = 0;
        }
    }

    fn add(&mut self, name: NameTag, now: DateTime<Utc>) {
        if let Some(failure) = self.failures.iter_mut().find(|failure| failure.name == name) {
            failure.at = now;
        } else {
            // Most networks fail with one name: a vector that doubles would take four places.
            self.failures.reserve_exact(1);
            self.failures.push(Failure { name, at: now });
        }
    }

    fn block(&mut self, now: DateTime<Utc>) {
        let doubled = FIRST_BLOCK * (1 << self.blocks.min(7));
        self.blocked_until = Some(now + doubled.min(LONGEST_BLOCK));
        self.blocks += 1;
        self.failures = Vec::new();
    }
}

#[cfg(test)]
#[path = "spraying_tests.rs"]
mod tests;
