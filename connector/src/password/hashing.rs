//! The work of one thread of the pool: a hash, or as much work as one.

use std::hint::black_box;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;
use tracing::error;

use super::{Cost, Credential, Peppers};
use crate::metrics::PEPPER_MISSING;

/// The result of a verification.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Verified {
    /// Whether the password is the one.
    pub fits: bool,
    /// When the attempt had its permit: what the [padding](super::Parking) counts from.
    pub since: Instant,
    /// The work that was done, in rounds of bcrypt's key expansion. The same for every refusal.
    pub rounds: u32,
}

/// How hashes are made and verified.
#[derive(Debug)]
pub(super) struct Hashing {
    cost: Cost,
    peppers: Peppers,
    /// A `Cost`: the highest that any stored hash may have.
    highest: AtomicU32,
    missing_pepper_said: Once,
}

impl Hashing {
    pub(super) fn new(cost: Cost, peppers: Peppers) -> Self {
        let highest = AtomicU32::new(cost.into());
        Self { cost, peppers, highest, missing_pepper_said: Once::new() }
    }

    pub(super) fn highest_cost(&self) -> Cost {
        Cost::new(self.highest.load(Ordering::Relaxed)).expect("only costs are put in")
    }

    pub(super) fn cost_seen(&self, cost: Cost) {
        self.highest.fetch_max(cost.into(), Ordering::Relaxed);
    }

    pub(super) fn is_outdated(&self, credential: &Credential) -> bool {
        credential.pepper_id() != Some(self.peppers.current_id()) || credential.cost() < self.cost
    }

    /// Hashes a new password.
    pub(super) fn hash(&self, password: &SecretString) -> Credential {
        let id = self.peppers.current_id();
        let seasoned = self.peppers.season(password.expose_secret(), id);
        let seasoned = seasoned.expect("the current pepper is one of the peppers");
        Credential::new(seasoned.expose_secret(), self.cost, id)
    }

    /// Whether the password fits, and the rounds that were computed to tell. A fit that `opens`
    /// nothing costs as much as a failure.
    pub(super) fn verify(
        &self,
        password: &SecretString,
        credential: Option<&Credential>,
        opens: bool,
    ) -> (bool, u32) {
        let compared = credential.and_then(|credential| self.compare(password, credential));
        let (mut fits, mut rounds, mut spent) = (false, 0, None);
        if let (Some(credential), Some(is_of)) = (credential, compared) {
            // A hash that was stored since somebody last looked.
            self.cost_seen(credential.cost());
            fits = is_of;
            rounds += credential.cost().rounds();
            if fits && opens {
                return (fits, rounds);
            }
            spent = Some(credential.cost());
        }
        for cost in decoys(spent, self.highest_cost()) {
            decoy(cost);
            rounds += cost.rounds();
        }
        (fits, rounds)
    }

    /// Whether the hash is that of the password, in the time of one hash; `None`, at once, when it
    /// cannot be whatever the hash says.
    fn compare(&self, password: &SecretString, credential: &Credential) -> Option<bool> {
        let password = password.expose_secret();
        let Some(id) = credential.pepper_id() else {
            return Credential::bcrypt_reads(password).then(|| credential.is_of(password));
        };
        let seasoned = self.peppers.season(password, id);
        if seasoned.is_none() {
            metrics::counter!(PEPPER_MISSING).increment(1);
            self.missing_pepper_said.call_once(|| {
                error!(pepper = id, "PEPPER_FILE lacks a pepper: its passwords are refused");
            });
        }
        seasoned.map(|seasoned| credential.is_of(seasoned.expose_secret()))
    }
}

/// The decoys that bring a failed verification up to one hash of the highest cost in use: that hash
/// when none was verified, and after one of cost c decoys of c, c + 1, … up to below the highest,
/// for 2^c + 2^c + 2^(c + 1) + … = 2^highest.
fn decoys(spent: Option<Cost>, highest: Cost) -> Vec<Cost> {
    let costs = match spent {
        None => u32::from(highest)..u32::from(highest) + 1,
        Some(cost) => cost.into()..highest.into(),
    };
    costs.map(|cost| Cost::new(cost).expect("it lies between two costs")).collect()
}

/// Does the work of one hash.
pub(super) fn decoy(cost: Cost) {
    let (salt, input) = black_box(([0; 16], b"decoy"));
    black_box(bcrypt::bcrypt(cost.into(), salt, input));
}

#[cfg(test)]
#[path = "hashing_tests.rs"]
mod tests;
