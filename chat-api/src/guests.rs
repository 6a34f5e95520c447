//! Guests: people without a token. They read what everybody may read, and are counted by the network that they come
//! from, because nothing else tells them apart.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use http::{HeaderMap, HeaderName};
use service_process::network::Network;
use service_process::proxies::TrustedProxies;

use crate::metrics;

/// Sockets that the guests of one network have at one replica: a household, and a small office.
const PER_NETWORK: usize = 20;

/// The guests of a replica.
#[derive(Debug)]
pub struct Guests {
    entrance: Option<Entrance>,
    sockets: Mutex<HashMap<Network, usize>>,
}

/// How guests come here.
#[derive(Debug, Clone)]
pub struct Entrance {
    /// The proxies that they may come through.
    pub proxies: TrustedProxies,
    /// The header in which such a proxy tells the address of whoever called it.
    pub header: HeaderName,
}

/// A guest's place among the sockets of its network, until it is dropped.
#[derive(Debug)]
pub struct GuestSeat {
    guests: Arc<Guests>,
    network: Network,
}

impl Guests {
    /// No guests yet. Without an entrance there will be none.
    #[must_use]
    pub fn new(entrance: Option<Entrance>) -> Self {
        Self { entrance, sockets: Mutex::default() }
    }

    /// The network of somebody who may be a guest. `None` where guests are not let in, and of whoever cannot be
    /// counted because nobody can tell the address.
    #[must_use]
    pub fn network_of(&self, peer: Option<SocketAddr>, headers: &HeaderMap) -> Option<Network> {
        let Entrance { proxies, header } = self.entrance.as_ref()?;
        let peer = peer.map(|address| address.ip());
        proxies.caller(peer, headers, header).map(Network::of)
    }

    /// A place for one more socket of a network, unless it has as many as it may.
    #[must_use]
    pub fn admit(self: &Arc<Self>, network: Network) -> Option<GuestSeat> {
        let mut sockets = self.lock();
        let count = sockets.entry(network).or_default();
        if *count >= PER_NETWORK {
            return None;
        }
        *count += 1;
        drop(sockets);
        ::metrics::gauge!(metrics::GUESTS).increment(1.0);
        Some(GuestSeat { guests: Arc::clone(self), network })
    }

    /// Sockets of guests.
    #[must_use]
    pub fn count(&self) -> u32 {
        u32::try_from(self.lock().values().sum::<usize>()).unwrap_or(u32::MAX)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Network, usize>> {
        // Each access leaves the map consistent.
        self.sockets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl GuestSeat {
    /// The network that the place is one of.
    #[must_use]
    pub fn network(&self) -> Network {
        self.network
    }
}

impl Drop for GuestSeat {
    fn drop(&mut self) {
        let mut sockets = self.guests.lock();
        if let Some(count) = sockets.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                sockets.remove(&self.network);
            }
        }
        drop(sockets);
        ::metrics::gauge!(metrics::GUESTS).decrement(1.0);
    }
}

#[cfg(test)]
#[path = "guests_tests.rs"]
mod tests;
