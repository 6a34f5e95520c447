//! The bounded pool in which hashes are computed.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::StoredHash;

/// How many attempts may wait for each one that hashes. At 0.3 s a hash more than this could not
/// be served within [`LONGEST_WAIT`] anyway.
const QUEUE_PER_PERMIT: usize = 8;

/// How long an attempt waits for its turn. Dex gives a login 8 s in all.
const LONGEST_WAIT: Duration = Duration::from_millis(1500);

/// A bcrypt cost that we accept: 10 to 12. Below, guessing is cheap; above, a login is slow
/// (measured on one core: 85, 169 and 317 ms).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost(u32);

/// A cost that is not in 10 to 12.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a bcrypt cost is a number from 10 to 12")]
pub struct InvalidCost;

impl Cost {
    /// Accepts 10 to 12.
    pub fn new(cost: u32) -> Result<Self, InvalidCost> {
        if (10..=12).contains(&cost) { Ok(Self(cost)) } else { Err(InvalidCost) }
    }

    /// Accepts the decimal form of 10 to 12.
    pub fn parse(text: &str) -> Result<Self, InvalidCost> {
        text.parse().map_err(|_| InvalidCost).and_then(Self::new)
    }
}

impl From<Cost> for u32 {
    fn from(cost: Cost) -> Self {
        cost.0
    }
}

/// More attempts are waiting than the processor can hash in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no hashing capacity")]
pub struct Saturated;

/// Hashes passwords on as many threads as there are processors, and refuses what would wait too
/// long.
#[derive(Debug)]
pub struct Pool {
    permits: Arc<Semaphore>,
    places: Arc<Semaphore>,
    cost: Cost,
    decoy: StoredHash,
}

impl Pool {
    /// A pool of `threads` hashers whose new hashes have this cost. `unguessable` is hashed once:
    /// attempts on accounts that do not exist are verified against it.
    ///
    /// # Panics
    /// When hashing panics, which is a fault of the program.
    pub async fn start(threads: usize, cost: Cost, unguessable: SecretString) -> Self {
        let decoy =
            tokio::task::spawn_blocking(move || StoredHash::of(unguessable.expose_secret(), cost))
                .await
                .expect("hashing does not panic");
        Self {
            permits: Arc::new(Semaphore::new(threads)),
            places: Arc::new(Semaphore::new(threads * (1 + QUEUE_PER_PERMIT))),
            cost,
            decoy,
        }
    }

    /// Whether `password` is the one that `stored` was made of; `false` without `stored`. Costs
    /// one hash in either case, so that time does not tell whether there was one.
    pub async fn verify(
        &self,
        password: SecretString,
        stored: Option<StoredHash>,
    ) -> Result<bool, Saturated> {
        let exists = stored.is_some();
        let hash = stored.unwrap_or_else(|| self.decoy.clone());
        let fits = self.run(move || hash.verify(password.expose_secret())).await?;
        Ok(exists && fits)
    }

    /// Hashes a new password.
    pub async fn hash(&self, password: SecretString) -> Result<StoredHash, Saturated> {
        let cost = self.cost;
        self.run(move || StoredHash::of(password.expose_secret(), cost)).await
    }

    async fn run<T, F>(&self, work: F) -> Result<T, Saturated>
    where
        T: Send + 'static,
        F: FnOnce() -> T + Send + 'static,
    {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Saturated)?;
        let permit = timeout(LONGEST_WAIT, Arc::clone(&self.permits).acquire_owned())
            .await
            .map_err(|_| Saturated)?
            .expect("the semaphore is never closed");
        // The thread holds the permit: when the caller goes away, the processor is still busy.
        let hashing = tokio::task::spawn_blocking(move || {
            let _held = (place, permit);
            work()
        });
        Ok(hashing.await.expect("hashing does not panic"))
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
