//! What a ceiling came to.

use serde::{Deserialize, Serialize};

/// What a ceiling came to.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct Tally {
    /// How many were done.
    pub(crate) count: u64,
    /// The time in which they were done, in seconds.
    pub(crate) seconds: f64,
    /// The processor time of this program meanwhile, in seconds.
    pub(crate) cpu_seconds: f64,
    /// How long one took, in milliseconds: the 99th percentile.
    pub(crate) p99_millis: f64,
}

impl Tally {
    pub(crate) fn per_second(&self) -> f64 {
        as_f64(self.count) / self.seconds
    }

    pub(crate) fn cpu_seconds_each(&self) -> f64 {
        self.cpu_seconds / as_f64(self.count)
    }
}

#[expect(clippy::cast_precision_loss, reason = "nobody counts 2^52 things")]
fn as_f64(count: u64) -> f64 {
    count as f64
}
