//! Lets attempts in and counts how they end.
//!
//! An attempt is charged before its password is looked at, and the charge becomes a failure or goes
//! when the attempt has ended. So however many attempts come at once, on however many replicas, no
//! more are verified than the [ladder](Lockout) allows.

mod charging;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use service_process::lifecycle::Tasks;
use service_process::sources::Sources;
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

pub use charging::{HeldCharge, retry_until_done};

use crate::account::AccountId;
use crate::lockout::{Budget, Charge, ChargeRequest, GuardKey, History, Lockout, Table, Verdict};
use crate::password::Cost;
use crate::store::{Candidate, LONGEST_STEP, Store, StoreError};
use charging::Charging;
use service_process::network::Network;

/// How long an attempt waits that is refused only because others are under way.
const LONGEST_WAIT: Duration = Duration::from_secs(3);

/// The first pause between two tries; each is twice as long as the one before, so that an attempt
/// asks at most five times.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// Attempts that ask the database at once. One takes it a millisecond or two, so these are more than can
/// be hashed; and when it is slow, those on one account wait for each other's row: at 5 s each, five of
/// them are over before the life of the first charge is.
const MOST_AT_ONCE: usize = 5;

/// Rows whose expired charges are settled at once. A process holds at most nine for each of its hashers;
/// what is more than this is settled by the next look, and ten see it.
const MOST_EXPIRED: usize = 200;

/// What became of a request to attempt.
#[derive(Debug)]
pub struct Reservation {
    /// Whom the attempt is counted for.
    pub guard_key: GuardKey,
    /// The account that the name leads to, if there is one.
    pub candidate: Option<Candidate>,
    /// The charge, or why there is none.
    pub charge: Result<HeldCharge, NoCharge>,
    /// The highest cost among all stored hashes; `None` without any.
    pub highest_cost: Option<Cost>,
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
    table: Arc<Table>,
    /// Who may ask the database. An attempt that nobody waits for any more leaves this queue, while it
    /// could not leave that of the connections.
    turns: Arc<Semaphore>,
    /// Who may take charges back: few at once, however many attempts are turned away.
    back: Arc<Semaphore>,
}

impl Guard {
    /// A guard with these rules. At most half of the store's connections are used to let attempts in,
    /// so that a flood of them leaves the rest to attempts that are to be settled, and to everybody
    /// else.
    #[must_use]
    pub fn new(store: Store, lockout: Lockout) -> Self {
        let turns = Arc::new(Semaphore::new(store.share(2).min(MOST_AT_ONCE)));
        let back = Arc::new(Semaphore::new(store.share(4)));
        Self { store, lockout, table: Arc::new(lockout.table()), turns, back }
    }

    /// Resolves the name and lets the attempt in, unless too many failed or are under way. Waits up
    /// to 3 s, but not past `deadline`, when only those under way stand in the way. `id` is that of the
    /// charge; `now` the time when this is called.
    ///
    /// A database that does not answer within 1.5 s is given up, and so is this by whoever drops it. A
    /// charge that is made all the same is taken back by one of `tasks`.
    ///
    /// # Panics
    /// Never: the semaphore is not closed.
    pub async fn reserve(
        &self,
        tasks: &Tasks,
        request: &ChargeRequest,
        (id, now): (Uuid, DateTime<Utc>),
        deadline: Option<Instant>,
    ) -> Result<Reservation, StoreError> {
        let begun = Instant::now();
        let give_up = deadline.unwrap_or(begun + LONGEST_WAIT).min(begun + LONGEST_WAIT);
        let mut pause = FIRST_PAUSE;
        loop {
            let now = now + begun.elapsed();
            let reservation = self.try_once(tasks, request, id, now).await?;
            let busy = matches!(reservation.charge, Err(NoCharge::Busy));
            if !busy || Instant::now() + pause > give_up {
                return Ok(reservation);
            }
            sleep_until(Instant::now() + pause).await;
            pause *= 2;
        }
    }

    async fn try_once(
        &self,
        tasks: &Tasks,
        request: &ChargeRequest,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Reservation, StoreError> {
        let answer_by = Instant::now() + LONGEST_STEP;
        let turn = timeout_at(answer_by, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| StoreError::TimedOut)?.expect("the semaphore is never closed");
        let charging = Charging {
            store: self.store.clone(),
            rules: (Arc::clone(&self.table), self.lockout.known_network),
            back: Arc::clone(&self.back),
            request: request.clone(),
            id,
            now,
        };
        let charged = timeout_at(answer_by, charging.begin(tasks, turn)).await;
        let (resolved, charge) = charged.map_err(|_| StoreError::TimedOut)??;
        let guard_key = resolved.guard_key;
        let charge = match charge {
            Some(held) => Ok(held.taken()),
            None => Err(self.why_not(request, &guard_key, resolved.known, now).await?),
        };
        let (candidate, highest_cost) = (resolved.candidate, resolved.highest_cost);
        Ok(Reservation { guard_key, candidate, charge, highest_cost })
    }

    async fn why_not(
        &self,
        request: &ChargeRequest,
        guard_key: &GuardKey,
        known: bool,
        now: DateTime<Utc>,
    ) -> Result<NoCharge, StoreError> {
        // Asked for whoever it is, so that it takes the same time for all.
        let strangers = self.store.history(guard_key, Budget::Strangers).await?;
        let own = match request.network {
            Some(network) => self.store.history(guard_key, Budget::Known(network)).await?,
            None => History::default(),
        };
        // By now there may be room again: then it is worth another try.
        let may_open = |verdict| matches!(verdict, Verdict::Busy | Verdict::Open(_));
        if known && may_open(self.lockout.known_verdict(&own, now)) {
            return Ok(NoCharge::Busy);
        }
        if request.known_only {
            return Ok(NoCharge::NotKnown);
        }
        let strangers = self.lockout.verdict(&strangers, now);
        Ok(if may_open(strangers) { NoCharge::Busy } else { NoCharge::Locked })
    }

    /// Counts the attempt of `account`, if it is one's, as a failure. `must_change`: the password was right,
    /// and its owner is told to change it. Tells whether the failure closed the account to strangers, of
    /// which its owner is told, too: true for one attempt only, however many fail at once.
    pub async fn failed(
        &self,
        charge: &Charge,
        whose: (Option<AccountId>, bool),
        sources: Sources,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        let locks: &[i32] = match charge.budget {
            Budget::Strangers => &self.table.locks,
            Budget::Known(_) => &[],
        };
        let ids = [sources.id(now), sources.id(now)];
        self.store.settle_failure(charge, whose, (locks, ids), now).await
    }

    /// Counts the attempt as a success: its network, if it has one, is known from now on and has no
    /// failures, and the owner is told if it was not known before. The failures of strangers stay.
    /// When the charge is gone, all of this stands.
    pub async fn succeeded(
        &self,
        charge: &Charge,
        who: (AccountId, Option<Network>),
        sources: Sources,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        self.store.settle_success(charge, who, sources.id(now), now).await
    }

    /// Counts what processes held that are gone, and tells whom that closed to strangers, with the
    /// account if there is one, whose owner is told.
    pub async fn settle_expired(
        &self,
        sources: Sources,
        now: DateTime<Utc>,
    ) -> Result<Vec<(GuardKey, Option<AccountId>)>, StoreError> {
        let ids: Vec<_> = (0..MOST_EXPIRED).map(|_| sources.id(now)).collect();
        self.store.settle_expired(&self.table.locks, &ids, now).await
    }

    /// Takes a charge back. `false`: it was settled before.
    pub async fn released(&self, charge: &Charge) -> Result<bool, StoreError> {
        self.store.release(charge.id, &charge.guard_key, None).await
    }
}
