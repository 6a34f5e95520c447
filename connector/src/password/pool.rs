//! The bounded pool in which hashes are computed.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Instant, timeout_at};

use super::hashing::Hashing;
use super::niceness::lower_priority;
use super::{
    Calibration, Cost, Credential, NewPassword, Peppers, UnfitPassword, Verified, is_common,
};
use crate::metrics::{HASH_PERMITS_IN_USE, HASH_QUEUE, HASH_REFUSED};

/// How many attempts may wait for each one that hashes. At 0.3 s a hash more than this could not
/// be served within [`LONGEST_WAIT`] anyway.
const QUEUE_PER_PERMIT: usize = 8;

/// How long an attempt waits for its turn. Dex gives a login 8 s in all.
const LONGEST_WAIT: Duration = Duration::from_millis(1500);

/// Who wants to hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// An account from a network it is known from, or this program itself.
    Known,
    /// Anybody else. All strangers together get half of the pool, rounded up.
    Stranger,
}

impl Caller {
    fn label(self) -> &'static str {
        match self {
            Self::Known => "known",
            Self::Stranger => "stranger",
        }
    }
}

/// More attempts are under way than can be served in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("no hashing capacity")]
pub struct Saturated;

/// Hashes passwords on as many threads as there are processors, and refuses what would wait too
/// long.
#[derive(Debug)]
pub struct Pool {
    threads: usize,
    calibration: Calibration,
    hashing: Arc<Hashing>,
    everyone: Share,
    strangers: Share,
}

/// A part of the pool: what hashes holds a permit, and what waits or hashes holds a place.
#[derive(Debug)]
struct Share {
    permits: Arc<Semaphore>,
    places: Arc<Semaphore>,
}

impl Share {
    fn new(permits: usize, queue: usize) -> Self {
        Self {
            permits: Arc::new(Semaphore::new(permits)),
            places: Arc::new(Semaphore::new(permits + queue)),
        }
    }
}

impl Pool {
    /// A pool of `threads` hashers, at least one, whose new hashes have this cost.
    #[must_use]
    pub fn new(threads: usize, cost: Cost, peppers: Peppers, calibration: Calibration) -> Self {
        let threads = threads.max(1);
        let queue = threads * QUEUE_PER_PERMIT;
        Self {
            threads,
            calibration,
            hashing: Arc::new(Hashing::new(cost, peppers)),
            everyone: Share::new(threads, queue),
            strangers: Share::new(threads.div_ceil(2), queue / 2),
        }
    }

    /// Waits for a turn to hash: at most 1.5 s, and not at all when every place is taken or when
    /// a refusal could not be answered before `deadline`.
    ///
    /// # Panics
    /// Never: the pool is not closed while it lives.
    pub async fn acquire(
        &self,
        caller: Caller,
        deadline: Option<Instant>,
    ) -> Result<Permit, Saturated> {
        let asked = Instant::now();
        let turn = self.turn(caller, asked, deadline).await;
        let Ok(held) = turn else {
            metrics::counter!(HASH_REFUSED, "caller" => caller.label()).increment(1);
            return Err(Saturated);
        };
        let since = Instant::now();
        metrics::histogram!(HASH_QUEUE, "caller" => caller.label())
            .record(since.duration_since(asked));
        Ok(Permit { held: HeldPermits::new(held), hashing: Arc::clone(&self.hashing), since })
    }

    async fn turn(
        &self,
        caller: Caller,
        asked: Instant,
        deadline: Option<Instant>,
    ) -> Result<Vec<OwnedSemaphorePermit>, Saturated> {
        let mut latest = asked + LONGEST_WAIT;
        if let Some(deadline) = deadline {
            latest = latest.min(deadline.checked_sub(self.padding()).ok_or(Saturated)?);
        }
        if latest < asked {
            return Err(Saturated);
        }
        let shares: &[&Share] = match caller {
            Caller::Known => &[&self.everyone],
            Caller::Stranger => &[&self.strangers, &self.everyone],
        };
        let mut held = Vec::with_capacity(2 * shares.len());
        for share in shares {
            let place = Arc::clone(&share.places).try_acquire_owned();
            held.push(place.map_err(|_| Saturated)?);
        }
        for share in shares {
            let permit = timeout_at(latest, Arc::clone(&share.permits).acquire_owned()).await;
            held.push(permit.map_err(|_| Saturated)?.expect("the semaphore is never closed"));
        }
        Ok(held)
    }

    /// Hashes a new password under scheme 2, with the current pepper and the configured cost.
    pub async fn hash(
        &self,
        password: Arc<SecretString>,
        caller: Caller,
        deadline: Option<Instant>,
    ) -> Result<Credential, Saturated> {
        let permit = self.acquire(caller, deadline).await?;
        Ok(permit.run(move |hashing| hashing.hash(&password)).await)
    }

    /// Hashes a new password, unless anybody would try it early who knows these words of its owner. Both are one
    /// stranger's turn: telling takes milliseconds.
    pub async fn hash_new(
        &self,
        password: NewPassword,
        words: Vec<String>,
    ) -> Result<Result<Credential, UnfitPassword>, Saturated> {
        let permit = self.acquire(Caller::Stranger, None).await?;
        let password = Arc::from(password);
        let hash = move |hashing: &Hashing| {
            if would_be_guessed(&password, &words) {
                return Err(UnfitPassword::Common);
            }
            Ok(hashing.hash(&password))
        };
        Ok(permit.run(hash).await)
    }

    /// Whether a credential is to be replaced at the next success: it is of scheme 1, cheaper than
    /// new ones, or of an earlier pepper.
    #[must_use]
    pub fn is_outdated(&self, credential: &Credential) -> bool {
        self.hashing.is_outdated(credential)
    }

    /// The highest cost in use: what a failed attempt costs.
    #[must_use]
    pub fn highest_cost(&self) -> Cost {
        self.hashing.highest_cost()
    }

    /// Tells that there is a stored hash of this cost.
    pub fn cost_seen(&self, cost: Cost) {
        self.hashing.cost_seen(cost);
    }

    /// The least age of a refusal's answer, counted from its permit: what one hash of the highest
    /// cost takes at worst, rounded up to 50 ms.
    #[must_use]
    pub fn padding(&self) -> Duration {
        self.calibration.padding(self.highest_cost())
    }

    /// How many hashes of the highest cost all threads compute in a minute.
    #[must_use]
    pub fn hashes_per_minute(&self) -> f64 {
        self.calibration.hashes_per_minute(self.threads, self.highest_cost())
    }
}

/// The turn of one attempt. Dropped = given back unused.
#[derive(Debug)]
pub struct Permit {
    held: HeldPermits,
    hashing: Arc<Hashing>,
    /// When the turn came.
    since: Instant,
}

impl Permit {
    /// Whether `password` is the one that `credential` was made of; never without one. What lets
    /// somebody in costs one hash. All else costs what one hash of the highest cost in use does, so
    /// that time does not tell why: a password that does not fit, and one that `opens` nothing.
    pub async fn verify(
        self,
        password: Arc<SecretString>,
        credential: Option<Credential>,
        opens: bool,
    ) -> Verified {
        let since = self.since;
        let verify = move |hashing: &Hashing| hashing.verify(&password, credential.as_ref(), opens);
        let (fits, rounds) = self.run(verify).await;
        Verified { fits, since, rounds }
    }

    async fn run<T, F>(self, work: F) -> T
    where
        T: Send + 'static,
        F: FnOnce(&Hashing) -> T + Send + 'static,
    {
        let Self { held, hashing, .. } = self;
        // The thread holds the permit: when the caller goes away, the processor is still busy.
        let hashing = tokio::task::spawn_blocking(move || {
            let _held = held;
            lower_priority();
            work(&hashing)
        });
        hashing.await.expect("hashing does not panic")
    }
}

/// Whether it is common. That reads whatever people type: should it ever fail, they are not refused for it.
fn would_be_guessed(password: &SecretString, words: &[String]) -> bool {
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let look = || is_common(password.expose_secret(), &words);
    catch_unwind(AssertUnwindSafe(look)).unwrap_or(false)
}

/// What a turn holds, counted while it does.
#[derive(Debug)]
struct HeldPermits {
    _permits: Vec<OwnedSemaphorePermit>,
}

impl HeldPermits {
    fn new(permits: Vec<OwnedSemaphorePermit>) -> Self {
        metrics::gauge!(HASH_PERMITS_IN_USE).increment(1.0);
        Self { _permits: permits }
    }
}

impl Drop for HeldPermits {
    fn drop(&mut self) {
        metrics::gauge!(HASH_PERMITS_IN_USE).decrement(1.0);
    }
}

#[cfg(test)]
#[path = "pool_tests.rs"]
mod tests;
