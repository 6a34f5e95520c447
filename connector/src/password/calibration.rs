//! How fast this machine hashes.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::Instant;

use super::niceness::lower_priority;
use super::{Cost, hashing};

/// Hashes that each thread computes to measure. At 85 ms each the start is 0.26 s later.
const ROUNDS: u32 = 3;

/// What paddings are multiples of: coarser than what two hashes of one machine differ by.
const PADDING_STEP: Duration = Duration::from_millis(50);

/// The time of one hash of cost 10 while every thread hashes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calibration {
    /// The mean.
    pub mean: Duration,
    /// The slowest of the few that were measured: stands for the 99th percentile.
    pub slowest: Duration,
}

impl Calibration {
    /// No measure, for a process that answers nobody: nothing is padded.
    pub const NONE: Self = Self { mean: Duration::ZERO, slowest: Duration::ZERO };

    /// Measures on this many threads at once, as under full load.
    ///
    /// # Panics
    /// When hashing panics, which is a fault of the program.
    pub async fn measure(threads: usize) -> Self {
        let mut hashing = JoinSet::new();
        for _ in 0..threads {
            hashing.spawn_blocking(|| {
                lower_priority();
                [(); ROUNDS as usize].map(|()| {
                    let start = Instant::now();
                    hashing::decoy(Cost::MIN);
                    start.elapsed()
                })
            });
        }
        let times = hashing.join_all().await.concat();
        let slowest = times.iter().max().copied().unwrap_or_default();
        let count = u32::try_from(times.len()).unwrap_or(u32::MAX).max(1);
        Self { mean: times.iter().sum::<Duration>() / count, slowest }
    }

    /// The least time after which a refusal may be answered when a hash costs this.
    pub(super) fn padding(self, cost: Cost) -> Duration {
        let slowest = self.slowest * cost.times_the_cheapest();
        let steps = slowest.as_nanos().div_ceil(PADDING_STEP.as_nanos());
        PADDING_STEP * u32::try_from(steps).unwrap_or(u32::MAX)
    }

    /// Hashes of this cost in a minute on this many threads.
    pub(super) fn hashes_per_minute(self, threads: usize, cost: Cost) -> f64 {
        let hash = (self.mean * cost.times_the_cheapest()).as_secs_f64();
        #[expect(clippy::cast_precision_loss, reason = "no machine has 2^52 threads")]
        let threads = threads as f64;
        threads * 60.0 / hash
    }
}

#[cfg(test)]
#[path = "calibration_tests.rs"]
mod tests;
