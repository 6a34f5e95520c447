//! Going on after a login.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;

use super::attempt::Unavailable;
use crate::account::{AccountId, Identity};
use crate::audit::{DenialReason, Event, Origin, Subject};
use crate::core::Core;
use crate::store::{AccountStatus, LONGEST_STEP, StoreError};

/// A request to go on after an earlier login.
#[derive(Debug)]
pub struct Renewal {
    /// The account.
    pub account: AccountId,
    /// The account's epoch at that login, if what Dex kept can be one.
    pub auth_epoch: Option<i64>,
    /// Whether the relying party asked for groups.
    pub wants_groups: bool,
    /// Whether it is the code of that login that is exchanged, and no session that goes on.
    pub of_code: bool,
    /// Where it comes from.
    pub origin: Origin,
}

/// Lets sessions go on, or says why not.
#[derive(Debug)]
pub struct Renewals {
    core: Arc<Core>,
    /// Who may ask the database about a session.
    turns: Arc<Semaphore>,
}

impl Renewals {
    /// Renewals that use the parts of this process.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        // A quarter of the connections: the guard has half, and what is left settles, writes the trail
        // and asks for health.
        let turns = Arc::new(Semaphore::new(core.store.share(4)));
        Self { core, turns }
    }

    /// Lets an account go on, with its claims as they are now, or says why not.
    ///
    /// A raised epoch ends what came before it: a session is worth what the account's epoch was at
    /// its login. While Dex is yet to forget sessions of the account, that cannot be told, and none
    /// goes on. Of a code it can: Dex keeps the epoch of its very login with it.
    ///
    /// Few ask the database at once. Whoever goes away while waiting for a turn has cost nothing; with
    /// a turn it goes on, so that no connection is left in the middle of an answer.
    ///
    /// # Panics
    /// Never: the semaphore is not closed.
    pub async fn refresh(
        &self,
        renewal: Renewal,
        now: DateTime<Utc>,
    ) -> Result<Result<Identity, DenialReason>, Unavailable> {
        let turn = timeout(LONGEST_STEP, Arc::clone(&self.turns).acquire_owned()).await;
        let turn = turn.map_err(|_| StoreError::TimedOut)?.expect("the semaphore is never closed");
        let (answer, answered) = oneshot::channel();
        let core = Arc::clone(&self.core);
        self.core.tasks.spawn(async move {
            let aborting = core.tasks.aborting();
            let verdict = aborting.run_until_cancelled(renew(&core, renewal, now)).await;
            drop(turn);
            if let Some(verdict) = verdict {
                // Whoever asked may be gone.
                let _ = answer.send(verdict);
            }
        });
        // The turn is kept for as long as the database takes, and the caller waits no longer than a step.
        let answered = timeout(LONGEST_STEP, answered).await.map_err(|_| StoreError::TimedOut)?;
        answered.unwrap_or(Err(Unavailable::Abandoned))
    }
}

async fn renew(
    core: &Core,
    renewal: Renewal,
    now: DateTime<Utc>,
) -> Result<Result<Identity, DenialReason>, Unavailable> {
    let Renewal { account, auth_epoch, wants_groups, of_code, origin } = renewal;
    let verdict = match core.store.account_status(account).await? {
        None => Err(DenialReason::Deleted),
        Some(AccountStatus { is_active: false, .. }) => Err(DenialReason::Disabled),
        Some(AccountStatus { identity, .. }) if auth_epoch != Some(identity.auth_epoch) => {
            Err(DenialReason::OldEpoch)
        }
        Some(AccountStatus { revocation_pending: true, .. }) if !of_code => {
            Err(DenialReason::RevocationPending)
        }
        Some(AccountStatus { identity, .. }) => Ok(identity.with_groups_if(wants_groups)),
    };
    let event = match &verdict {
        Err(reason) => Some(Event::RefreshDenied(*reason)),
        // The login has its line already.
        Ok(_) => (!of_code).then_some(Event::RefreshOk),
    };
    if let Some(event) = event {
        let subject = Subject { account: Some(account), ..Subject::default() };
        core.trail.record(event, subject, origin, now);
    }
    Ok(verdict)
}
