//! How many flows one network may begin, and how often it may go on with them. Each is a row that waits for a day, and
//! may be a mail; each step asks the database.

use std::hash::Hash;
use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, MonotonicClock};
use service_process::network::Network;
use uuid::Uuid;

use super::keyed::{Keyed, refused};
use crate::account::AccountId;
use crate::flow::FlowToken;
use crate::metrics::{FLOWS_WITHOUT_ADDRESS, LIMIT_KEYS};

/// The most keys of each limit: 17 bytes each, in tables that are up to half empty. At that many a new
/// network is refused until the next sweep.
const MOST_KEYS: usize = 200_000;

/// The rates. All are at least 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FlowRates {
    /// Flows an hour of one network.
    pub network_per_hour: NonZeroU32,
    /// Flows an hour of one coarse network.
    pub coarse_network_per_hour: NonZeroU32,
}

/// Steps for each flow that a network may begin: its pages, its five tries, and as much again for who mistypes.
const STEPS_A_FLOW: NonZeroU32 = NonZeroU32::new(20).expect("not 0");

/// Passwords that may be hashed for one flow, at once and in an hour, where nobody knows the network.
const HASHES_A_FLOW: NonZeroU32 = NonZeroU32::new(10).expect("not 0");

/// Lets flows begin, and go on, at a limited rate, half an hour's at once. Per replica.
#[derive(Debug)]
pub struct FlowLimits<C: Clock = MonotonicClock> {
    starts: Pair<C>,
    steps: Pair<C>,
    /// By the first eight bytes of what the database knows a flow by.
    hashes: Keyed<[u8; 8], C>,
    /// By the random half of its id.
    accounts: Keyed<[u8; 8], C>,
}

/// The limits of networks and of the coarse networks around them, with their names in metrics.
#[derive(Debug)]
struct Pair<C: Clock> {
    fine: (&'static str, Keyed<u64, C>),
    coarse: (&'static str, Keyed<u64, C>),
}

impl FlowLimits {
    /// Limits of these rates.
    #[must_use]
    pub fn new(rates: FlowRates) -> Self {
        Self::with_clock(rates, &MonotonicClock)
    }
}

impl<C: Clock + Clone> FlowLimits<C> {
    fn with_clock(rates: FlowRates, clock: &C) -> Self {
        let keyed = |rate| Keyed::new(half_an_hour_at_once(rate), MOST_KEYS, clock.clone());
        let FlowRates { network_per_hour, coarse_network_per_hour } = rates;
        let steps = |flows: NonZeroU32| keyed(flows.saturating_mul(STEPS_A_FLOW));
        Self {
            starts: Pair {
                fine: ("flow_network", keyed(network_per_hour)),
                coarse: ("flow_coarse_network", keyed(coarse_network_per_hour)),
            },
            steps: Pair {
                fine: ("step_network", steps(network_per_hour)),
                coarse: ("step_coarse_network", steps(coarse_network_per_hour)),
            },
            hashes: Keyed::new(Quota::per_hour(HASHES_A_FLOW), MOST_KEYS, clock.clone()),
            accounts: Keyed::new(Quota::per_hour(HASHES_A_FLOW), MOST_KEYS, clock.clone()),
        }
    }

    /// Whether a flow may begin; if not, when one may. Without a network there is no limit, because all
    /// whose network nobody knows would share it: what an inbox gets is limited for them, too.
    pub fn admit(&self, network: Option<Network>) -> Result<(), Duration> {
        let Some(network) = network else {
            metrics::counter!(FLOWS_WITHOUT_ADDRESS).increment(1);
            return Ok(());
        };
        self.starts.admit(network)
    }

    /// Whether another step of a flow may be taken; if not, when one may. Without a network there is no limit.
    pub fn admit_step(&self, network: Option<Network>) -> Result<(), Duration> {
        network.map_or(Ok(()), |network| self.steps.admit(network))
    }

    /// Whether another password may be hashed for a flow of which nobody knows the network; if not, when one may.
    pub fn admit_hash(&self, token: &FlowToken) -> Result<(), Duration> {
        metrics::counter!(FLOWS_WITHOUT_ADDRESS).increment(1);
        let hash = token.hash();
        self.hashes
            .check(&std::array::from_fn(|n| hash[n]))
            .map_err(|wait| refused("flow_without_address", wait))
    }

    /// Whether the owner of an account, who is signed in, may begin something that is mailed to whomever they like, or have
    /// a password hashed of which nobody knows the network; if not, when they may. Each has as much as a flow.
    pub fn admit_account(&self, account: AccountId) -> Result<(), Duration> {
        let id = Uuid::from(account).into_bytes();
        // The last bytes: they are the random ones.
        let key = std::array::from_fn(|n| id[n + 8]);
        self.accounts.check(&key).map_err(|wait| refused("signed_in_account", wait))
    }

    /// Forgets the networks that are owed nothing any more. Due as often as that of
    /// [`Limits`](super::Limits).
    pub fn sweep(&self) {
        self.starts.sweep();
        self.steps.sweep();
        sweep("flow_without_address", &self.hashes);
        sweep("signed_in_account", &self.accounts);
    }
}

impl<C: Clock + Clone> Pair<C> {
    fn admit(&self, network: Network) -> Result<(), Duration> {
        let (network, around) = (network.packed(), network.coarse().packed());
        let check = |(limit, keyed): &(&'static str, Keyed<u64, C>), key| {
            keyed.check(key).map_err(|wait| refused(limit, wait))
        };
        // One that is held is asked first: once it is throttled itself it uses up nothing of its neighbours'. A new one
        // is entered only if the coarse network lets it in: the 65,536 networks of one IPv6 /48 would fill a third of
        // the table.
        if self.fine.1.holds(&network) {
            check(&self.fine, &network)?;
            check(&self.coarse, &around)
        } else {
            check(&self.coarse, &around)?;
            check(&self.fine, &network)
        }
    }

    fn sweep(&self) {
        for (limit, keyed) in [&self.fine, &self.coarse] {
            sweep(limit, keyed);
        }
    }
}

fn sweep<K: Hash + Eq + Clone, C: Clock>(limit: &'static str, keyed: &Keyed<K, C>) {
    let keys = u32::try_from(keyed.keys()).unwrap_or(u32::MAX);
    metrics::gauge!(LIMIT_KEYS, "limit" => limit).set(f64::from(keys));
    keyed.sweep();
}

fn half_an_hour_at_once(per_hour: NonZeroU32) -> Quota {
    let burst = NonZeroU32::new(per_hour.get().div_ceil(2)).unwrap_or(NonZeroU32::MIN);
    Quota::per_hour(per_hour).allow_burst(burst)
}

#[cfg(test)]
#[path = "starts_tests.rs"]
mod tests;
