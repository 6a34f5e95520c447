//! How much may be on its way to the log.

use std::sync::Arc;

use ::metrics::Gauge;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::metrics;

/// What may be on its way at once. Beyond either, appends are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// How many records.
    pub messages: usize,
    /// How many bytes of keys and values.
    pub bytes: usize,
}

impl Default for Bounds {
    /// 10,000 records, as many as one replica acknowledges in a second or two, and 32 MB: the largest
    /// contents fill it with some 2,000 of them.
    fn default() -> Self {
        Self { messages: 10_000, bytes: 32 << 20 }
    }
}

/// Counts what is on its way.
pub(super) struct InFlight {
    messages: Arc<Semaphore>,
    bytes: Arc<Semaphore>,
    records: Gauge,
}

/// What one record takes of the bounds, given back when this is dropped.
pub(super) struct Permit {
    _message: OwnedSemaphorePermit,
    _bytes: OwnedSemaphorePermit,
    records: Gauge,
}

impl InFlight {
    pub(super) fn new(bounds: Bounds) -> Self {
        let places = |count| Arc::new(Semaphore::new(count));
        Self {
            messages: places(bounds.messages),
            bytes: places(bounds.bytes),
            records: ::metrics::gauge!(metrics::APPENDS_IN_FLIGHT),
        }
    }

    /// A place for a record of that many bytes, if there is one.
    pub(super) fn take(&self, bytes: usize) -> Option<Permit> {
        let bytes = u32::try_from(bytes).ok()?;
        let message = Arc::clone(&self.messages).try_acquire_owned().ok()?;
        let bytes = Arc::clone(&self.bytes).try_acquire_many_owned(bytes).ok()?;
        self.records.increment(1.0);
        Some(Permit { _message: message, _bytes: bytes, records: self.records.clone() })
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.records.decrement(1.0);
    }
}

#[cfg(test)]
#[path = "in_flight_tests.rs"]
mod tests;
