//! How many flows one network may begin, and how often it may go on with them. Each is a row that waits for a day, and
//! may be a mail; each step asks the database.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::Quota;
use governor::clock::{Clock, MonotonicClock};

use super::keyed::{Keyed, refused};
use crate::metrics::{FLOWS_WITHOUT_ADDRESS, LIMIT_KEYS};
use crate::network::Network;

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

/// Lets flows begin, and go on, at a limited rate, half an hour's at once. Per replica.
#[derive(Debug)]
pub struct FlowLimits<C: Clock = MonotonicClock> {
    starts: Pair<C>,
    steps: Pair<C>,
}

/// The limits of networks and of the coarse networks around them, with their names in metrics.
#[derive(Debug)]
struct Pair<C: Clock> {
    networks: (&'static str, Keyed<u64, C>),
    coarse_networks: (&'static str, Keyed<u64, C>),
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
                networks: ("flow_network", keyed(network_per_hour)),
                coarse_networks: ("flow_coarse_network", keyed(coarse_network_per_hour)),
            },
            steps: Pair {
                networks: ("step_network", steps(network_per_hour)),
                coarse_networks: ("step_coarse_network", steps(coarse_network_per_hour)),
            },
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

    /// Forgets the networks that are owed nothing any more. Due as often as that of
    /// [`Limits`](super::Limits).
    pub fn sweep(&self) {
        self.starts.sweep();
        self.steps.sweep();
    }
}

impl<C: Clock + Clone> Pair<C> {
    fn admit(&self, network: Network) -> Result<(), Duration> {
        let coarse = network.coarse();
        let Self { networks: (fine_name, networks), coarse_networks: (coarse_name, coarses) } = self;
        networks.check(&network.packed()).map_err(|wait| refused(fine_name, wait))?;
        coarses.check(&coarse.packed()).map_err(|wait| refused(coarse_name, wait))
    }

    fn sweep(&self) {
        for (limit, keyed) in [&self.networks, &self.coarse_networks] {
            let keys = u32::try_from(keyed.keys()).unwrap_or(u32::MAX);
            metrics::gauge!(LIMIT_KEYS, "limit" => *limit).set(f64::from(keys));
            keyed.sweep();
        }
    }
}

fn half_an_hour_at_once(per_hour: NonZeroU32) -> Quota {
    let burst = NonZeroU32::new(per_hour.get().div_ceil(2)).unwrap_or(NonZeroU32::MIN);
    Quota::per_hour(per_hour).allow_burst(burst)
}

#[cfg(test)]
#[path = "starts_tests.rs"]
mod tests;
