//! Refusals that wait until they may be answered.

use std::time::Duration;

use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until};

use super::Saturated;

/// Refusals that wait at once, a few kilobytes each. At the longest padding of about 0.5 s these
/// are 4,000 in a second, more than the limits let in.
const PLACES: usize = 2000;

/// Where refusals wait until they are as old as any other refusal: time does not tell why.
#[derive(Debug)]
pub struct Parking {
    places: Semaphore,
}

impl Default for Parking {
    fn default() -> Self {
        Self { places: Semaphore::new(PLACES) }
    }
}

impl Parking {
    /// Waits until `padding` has passed since then; refuses at once when 2,000 wait already.
    pub async fn pad(&self, since: Instant, padding: Duration) -> Result<(), Saturated> {
        let _place = self.places.try_acquire().map_err(|_| Saturated)?;
        sleep_until(since + padding).await;
        Ok(())
    }
}

#[cfg(test)]
#[path = "parking_tests.rs"]
mod tests;
