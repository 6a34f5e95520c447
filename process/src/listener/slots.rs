//! How many connections a listener has, and what is counted of them.

use std::sync::Arc;

use ::metrics::{Counter, Gauge, counter, gauge};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics::Metric;

/// Open connections, by `port`: `public` or `admin`.
pub const CONNECTIONS: Metric =
    Metric::gauge("http_connections", &["port"], "Open connections, sockets too.");
/// Connections over the limit.
pub const REFUSED: Metric = Metric::counter(
    "http_connections_refused_total",
    &["port"],
    "Connections over the limit, which were closed at once.",
);
/// Connections of peers that were too slow, by `why`: `slow_head` or `stalled`.
pub const CUT: Metric = Metric::counter(
    "http_connections_cut_total",
    &["port", "why"],
    "Connections of peers that were too slow.",
);

/// The slots of one listener: one for each connection that it may have at once.
pub(super) struct Slots {
    free: Arc<Semaphore>,
    counts: Arc<Counts>,
}

impl Slots {
    /// This many slots, for the listener that is counted as `port`.
    pub(super) fn new(connections: usize, port: &'static str) -> Self {
        Self { free: Arc::new(Semaphore::new(connections)), counts: Arc::new(Counts::of(port)) }
    }

    /// How many are free.
    pub(super) fn free(&self) -> usize {
        self.free.available_permits()
    }

    /// A slot for one more connection. None if all are taken, which is counted.
    pub(super) fn take(&self) -> Option<Slot> {
        let Ok(permit) = Arc::clone(&self.free).try_acquire_owned() else {
            self.counts.refused.increment(1);
            return None;
        };
        self.counts.open.increment(1.0);
        Some(Slot { _permit: permit, counts: Arc::clone(&self.counts) })
    }
}

/// The slot of a connection, until it is dropped.
pub(super) struct Slot {
    _permit: OwnedSemaphorePermit,
    pub(super) counts: Arc<Counts>,
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.counts.open.decrement(1.0);
    }
}

/// What is counted at one port, looked up once.
pub(super) struct Counts {
    open: Gauge,
    refused: Counter,
    pub(super) slow_heads: Counter,
    pub(super) stalls: Counter,
}

impl Counts {
    fn of(port: &'static str) -> Self {
        let counts = Self {
            open: gauge!(CONNECTIONS.name, "port" => port),
            refused: counter!(REFUSED.name, "port" => port),
            slow_heads: counter!(CUT.name, "port" => port, "why" => "slow_head"),
            stalls: counter!(CUT.name, "port" => port, "why" => "stalled"),
        };
        // Their first event must be seen as an increase.
        for counter in [&counts.refused, &counts.slow_heads, &counts.stalls] {
            counter.increment(0);
        }
        counts
    }
}
