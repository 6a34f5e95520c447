//! Limits of attempts per network and per name, held by each replica for itself.
//!
//! They keep a flood away from the database and the hashers. They are approximate: with N replicas
//! an attacker has up to N times as much, which the lockout, exact through the database, does not
//! give them.

mod keyed;
mod name_tag;
mod sample;
mod spraying;
mod starts;

use std::num::NonZeroU32;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, MonotonicClock};
use keyed::{Keyed, refused};
use name_tag::{NameTag, tag};
use service_process::network::Network;

pub use keyed::SWEEP_EVERY;
pub use sample::Sampler;
pub use spraying::Spraying;
pub use starts::{FlowLimits, FlowRates};

use crate::keys::NameKey;
use crate::metrics::{LIMIT_KEYS, LOGIN_WITHOUT_ADDRESS};

/// The most keys of each limit. At that many a new key is refused until the next sweep, 30 s at
/// most, and those that are held go on. A slot of a table takes 17 bytes, and up to half of the 2²¹
/// slots are empty: 36 MB for a million networks, as much for the coarse networks around them if
/// each has one of its own, and for the names if each has one of its own.
const MOST_KEYS: usize = 1_000_000;

/// The rates. All are at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitSettings {
    /// Attempts a minute of one network.
    pub network_per_minute: NonZeroU32,
    /// Attempts of one network at once.
    pub network_burst: NonZeroU32,
    /// Attempts a minute of one coarse network.
    pub coarse_network_per_minute: NonZeroU32,
    /// Attempts a minute on one name.
    pub name_per_minute: NonZeroU32,
}

/// What the limits say to an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Admission {
    /// No limit is reached.
    Admitted,
    /// Too many come from there. It says nothing about the name, so the answer may be another one.
    NetworkThrottled {
        /// When an attempt can be let in again.
        retry_after: Duration,
    },
    /// Too many try this name. Who hears that learns about others' attempts, so the answer must be
    /// that to a wrong password.
    NameThrottled,
}

/// Admits attempts at a limited rate.
#[derive(Debug)]
pub struct Limits<C: Clock = MonotonicClock> {
    networks: Keyed<u64, C>,
    coarse_networks: RwLock<Coarse<C>>,
    names: Keyed<NameTag, C>,
    names_without_address: Keyed<NameTag, C>,
    settings: LimitSettings,
    clock: C,
}

/// The limit of coarse networks at one speed of hashing.
#[derive(Debug)]
struct Coarse<C: Clock> {
    per_minute: NonZeroU32,
    keyed: Arc<Keyed<u64, C>>,
}

impl Limits {
    /// Limits on a machine that computes this many hashes a minute, on all its hashers together.
    #[must_use]
    pub fn new(settings: &LimitSettings, hashes_per_minute: f64) -> Self {
        Self::with_clock(settings, hashes_per_minute, &MonotonicClock)
    }
}

impl<C: Clock + Clone> Limits<C> {
    fn with_clock(settings: &LimitSettings, hashes_per_minute: f64, clock: &C) -> Self {
        let LimitSettings { network_per_minute, network_burst, .. } = *settings;
        let network = Quota::per_minute(network_per_minute).allow_burst(network_burst);
        let name = settings.name_per_minute;
        let coarse = coarse_per_minute(settings, hashes_per_minute);
        Self {
            networks: Keyed::new(network, MOST_KEYS, clock.clone()),
            coarse_networks: RwLock::new(Coarse::new(coarse, network_burst, clock)),
            names: Keyed::new(half_a_minute_at_once(name), MOST_KEYS, clock.clone()),
            names_without_address: Keyed::new(
                half_a_minute_at_once(half(name)),
                MOST_KEYS,
                clock.clone(),
            ),
            settings: *settings,
            clock: clock.clone(),
        }
    }

    /// Takes up how many hashes a minute the machine computes now: fewer when hashes are found that
    /// cost more than those that are made. Coarse networks then begin anew, once for each such cost.
    pub fn follow(&self, hashes_per_minute: f64) {
        let per_minute = coarse_per_minute(&self.settings, hashes_per_minute);
        // Each change is one assignment, so a poisoned value is whole.
        if self.coarse_networks.read().unwrap_or_else(PoisonError::into_inner).per_minute
            == per_minute
        {
            return;
        }
        let mut coarse = self.coarse_networks.write().unwrap_or_else(PoisonError::into_inner);
        // Of two that find it out at once the second finds it done.
        if coarse.per_minute != per_minute {
            *coarse = Coarse::new(per_minute, self.settings.network_burst, &self.clock);
        }
    }

    fn coarse_networks(&self) -> Arc<Keyed<u64, C>> {
        let coarse = self.coarse_networks.read().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(&coarse.keyed)
    }

    /// Whether an attempt may go on.
    ///
    /// Without a network there is no limit of networks, because all whose network nobody knows
    /// would share it and one of them could shut out the others. The name has half its limit then,
    /// counted apart: attempts that hide where they come from use up nothing of the others.
    #[must_use]
    pub fn admit(&self, network: Option<Network>, name_key: &NameKey) -> Admission {
        let names = if let Some(network) = network {
            if let Err(retry_after) = self.admit_network(network) {
                return Admission::NetworkThrottled { retry_after };
            }
            &self.names
        } else {
            metrics::counter!(LOGIN_WITHOUT_ADDRESS).increment(1);
            &self.names_without_address
        };
        match names.check(&tag(name_key)) {
            Ok(()) => Admission::Admitted,
            Err(wait) => {
                refused("name", wait);
                Admission::NameThrottled
            }
        }
    }

    /// Whether a network may have something hashed that is no attempt on a name; if not, when it may. It is
    /// counted as an attempt of the network.
    pub fn admit_network(&self, network: Network) -> Result<(), Duration> {
        let coarse = network.coarse();
        self.networks.check(&network.packed()).map_err(|wait| refused("network", wait))?;
        let admitted = self.coarse_networks().check(&coarse.packed());
        admitted.map_err(|wait| refused("coarse_network", wait))
    }

    /// Forgets the keys that are owed nothing any more. Due each [`SWEEP_EVERY`]. With a million
    /// keys it keeps a thread busy for a noticeable time: not for one that serves.
    pub fn sweep(&self) {
        let Self { networks, names, names_without_address, .. } = self;
        sweep("network", networks);
        sweep("coarse_network", &self.coarse_networks());
        sweep("name", names);
        sweep("name_without_address", names_without_address);
    }
}

impl<C: Clock + Clone> Coarse<C> {
    fn new(per_minute: NonZeroU32, network_burst: NonZeroU32, clock: &C) -> Self {
        // At least what one network may send at once: an office is alone in its /24 or /48.
        let burst = half(per_minute).max(network_burst);
        let quota = Quota::per_minute(per_minute).allow_burst(burst);
        Self { per_minute, keyed: Arc::new(Keyed::new(quota, MOST_KEYS, clock.clone())) }
    }
}

fn coarse_per_minute(settings: &LimitSettings, hashes_per_minute: f64) -> NonZeroU32 {
    settings.coarse_network_per_minute.min(quarter_of_hashes(hashes_per_minute))
}

fn sweep<K: std::hash::Hash + Eq + Clone, C: Clock>(limit: &'static str, keyed: &Keyed<K, C>) {
    // Before the sweep: how many there were at most is what an operator compares with the bound.
    let keys = u32::try_from(keyed.keys()).unwrap_or(u32::MAX);
    metrics::gauge!(LIMIT_KEYS, "limit" => limit).set(f64::from(keys));
    keyed.sweep();
}

/// One coarse network, one attacker as a rule, gets at most a quarter of the hashers: it takes
/// four to fill them, and half of them are reserved for known pairs even then.
fn quarter_of_hashes(hashes_per_minute: f64) -> NonZeroU32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "the cast saturates, and less than 1 becomes 1"
    )]
    let quarter = (hashes_per_minute / 4.0) as u32;
    NonZeroU32::new(quarter).unwrap_or(NonZeroU32::MIN)
}

/// A burst of half a minute, as a network has it: at 120 a minute 60 at once, room for the 50 tabs
/// and devices that sign in to one account together after an outage. A key is forgotten after as
/// long.
fn half_a_minute_at_once(per_minute: NonZeroU32) -> Quota {
    Quota::per_minute(per_minute).allow_burst(half(per_minute))
}

fn half(rate: NonZeroU32) -> NonZeroU32 {
    NonZeroU32::new(rate.get().div_ceil(2)).unwrap_or(NonZeroU32::MIN)
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
