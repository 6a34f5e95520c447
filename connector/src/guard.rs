//! What stands before an account: charges, lockout, known networks.
//!
//! An attempt is charged before its password is looked at, and the charge becomes a failure or goes
//! when the attempt has ended. So however many attempts come at once, on however many replicas, no
//! more are verified than the [ladder](Lockout) allows. Failures are counted for an account whichever
//! of its names was typed, and for names that belong to nobody in just the same way.
//!
//! An account is known from the networks it was logged in to from. Those have failures of their own
//! to spend, so that strangers can close an account to strangers only.

mod ladder;

use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::{Instant, sleep_until};
use uuid::Uuid;

pub use ladder::{
    CHARGE_LIFE, History, InvalidLockout, KNOWN_NETWORKS, Lockout, MEMORY, Table, Verdict,
};

use crate::account::{AccountId, LoginName};
use crate::network::Network;
use crate::store::{Candidate, Store, StoreError};

/// How long an attempt waits that is refused only because others are under way.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The first pause between two tries; each is twice as long as the one before, so that an attempt
/// asks at most five times.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Whom an attempt is counted for: an account, or a name that belongs to nobody.
pub type GuardKey = [u8; 32];

/// Who attempts.
#[derive(Debug, Clone, Copy)]
pub struct Whom<'a> {
    /// The name, if what was typed can be one.
    pub name: Option<&'a LoginName>,
    /// What the attempt is counted under when no account has the name: a keyed hash of what was typed.
    pub name_key: &'a GuardKey,
    /// Where from; `None` when that is not known.
    pub network: Option<Network>,
    /// Let in only who comes from a network that the account is known from.
    pub known_only: bool,
}

/// Which failures a charge is counted among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Those of everybody from anywhere.
    Strangers,
    /// Those of a network that the account is known from.
    Known(Network),
}

/// An attempt that was let in and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its id.
    pub id: Uuid,
    /// Whom it is counted for.
    pub guard_key: GuardKey,
    /// Among which failures.
    pub budget: Budget,
}

/// What became of the wish to attempt.
#[derive(Debug)]
pub struct Reservation {
    /// Whom the attempt is counted for.
    pub guard_key: GuardKey,
    /// The account that the name leads to, if there is one.
    pub candidate: Option<Candidate>,
    /// The charge, or why there is none.
    pub charge: Result<Charge, NoCharge>,
}

/// Why an attempt was not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoCharge {
    /// The account, or the name, is closed to strangers.
    Locked,
    /// Too many attempts were under way, for too long.
    Busy,
    /// Only known networks were to be let in, and this is none.
    NotKnown,
}

/// Lets attempts in and counts how they end.
#[derive(Debug)]
pub struct Guard {
    store: Store,
    lockout: Lockout,
    table: Table,
}

impl Guard {
    /// A guard with these rules.
    #[must_use]
    pub fn new(store: Store, lockout: Lockout) -> Self {
        Self { store, lockout, table: lockout.table() }
    }

    /// Resolves the name and lets the attempt in, unless too many failed or are under way. Waits up
    /// to 3 s, but not past `deadline`, when only those under way stand in the way. `id` is that of the
    /// charge; `now` the time when this is called.
    pub async fn reserve(
        &self,
        whom: Whom<'_>,
        id: Uuid,
        now: DateTime<Utc>,
        deadline: Option<Instant>,
    ) -> Result<Reservation, StoreError> {
        let begun = Instant::now();
        let give_up = deadline.unwrap_or(begun + LONGEST_WAIT).min(begun + LONGEST_WAIT);
        let mut pause = FIRST_PAUSE;
        loop {
            let now = now + begun.elapsed();
            let reservation = self.try_once(whom, id, now).await?;
            if reservation.charge != Err(NoCharge::Busy) || Instant::now() + pause > give_up {
                return Ok(reservation);
            }
            sleep_until(Instant::now() + pause).await;
            pause *= 2;
        }
    }

    async fn try_once(
        &self,
        whom: Whom<'_>,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Reservation, StoreError> {
        let known_network = self.lockout.known_network;
        let reserved = self.store.reserve(whom, id, now, (&self.table, known_network)).await?;
        let guard_key = reserved.guard_key;
        let charge = match reserved.budget {
            Some(budget) => Ok(Charge { id, guard_key, budget }),
            None => Err(self.why_not(whom, &guard_key, reserved.known, now).await?),
        };
        Ok(Reservation { guard_key, candidate: reserved.candidate, charge })
    }

    async fn why_not(
        &self,
        whom: Whom<'_>,
        guard_key: &GuardKey,
        known: bool,
        now: DateTime<Utc>,
    ) -> Result<NoCharge, StoreError> {
        // Asked for whoever it is, so that it takes the same time for all.
        let strangers = self.store.history(guard_key, Budget::Strangers).await?;
        let own = match whom.network {
            Some(network) => self.store.history(guard_key, Budget::Known(network)).await?,
            None => History::default(),
        };
        // By now there may be room again: then it is worth another try.
        let may_open = |verdict| matches!(verdict, Verdict::Busy | Verdict::Open(_));
        if known && may_open(self.lockout.known_verdict(&own, now)) {
            return Ok(NoCharge::Busy);
        }
        if whom.known_only {
            return Ok(NoCharge::NotKnown);
        }
        let strangers = self.lockout.verdict(&strangers, now);
        Ok(if may_open(strangers) { NoCharge::Busy } else { NoCharge::Locked })
    }

    /// Counts the attempt as a failure, and tells whether that closed the account to strangers: true
    /// for one attempt only, however many fail at once.
    pub async fn failed(&self, charge: &Charge, now: DateTime<Utc>) -> Result<bool, StoreError> {
        let failures = self.store.settle_failure(charge, now).await?;
        let of_strangers = charge.budget == Budget::Strangers;
        Ok(of_strangers && failures.is_some_and(|failures| self.lockout.locks(failures)))
    }

    /// Counts the attempt as a success: its network, if it has one, is known from now on and has no
    /// failures. Those of strangers stay.
    pub async fn succeeded(
        &self,
        charge: &Charge,
        account: AccountId,
        network: Option<Network>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.store.settle_success(charge, network).await?;
        match network {
            Some(network) => self.store.know_network(account, network, now).await,
            None => Ok(()),
        }
    }

    /// Counts what processes held that are gone, and tells whom that closed to strangers, with the
    /// account if there is one.
    pub async fn settle_expired(
        &self,
        now: DateTime<Utc>,
    ) -> Result<Vec<(GuardKey, Option<AccountId>)>, StoreError> {
        let settled = self.store.settle_expired(now).await?;
        let closed = settled.into_iter().filter(|(.., failures)| {
            failures.clone().skip(1).any(|failures| self.lockout.locks(failures))
        });
        Ok(closed.map(|(guard_key, account, _)| (guard_key, account)).collect())
    }

    /// Takes back the charge of an attempt whose password was not looked at.
    pub async fn released(&self, charge: &Charge) -> Result<(), StoreError> {
        self.store.release(charge).await
    }
}
