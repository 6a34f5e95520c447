//! One verification: charged, hashed, settled.

use std::pin::pin;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use service_process::error_chain::ErrorChain;
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use tracing::warn;

use super::attempt::Unavailable;
use super::claim::Claim;
use super::notices;
use crate::account::{AccountId, Identity};
use crate::audit::{Proof, RefusalReason, Subject};
use crate::core::Core;
use crate::guard::{NoCharge, Reservation, retry_until_done};
use crate::lockout::{Budget, Charge, GuardKey};
use crate::metrics::GUARD_REFUSALS;
use crate::password::{Caller, Credential};
use crate::store::{Candidate, LONGEST_STEP, StoreError};

/// The ruling on a claim: who is let in by which proof, or why nobody is.
type Ruling = Result<(Identity, Proof), RefusalReason>;

/// What a verification yielded. Shared by those who asked for the same.
#[derive(Debug, Clone)]
pub(super) struct Decision {
    /// Whom the attempt was counted for.
    pub(super) guard_key: GuardKey,
    /// The account that the name led to, if there is one.
    pub(super) account: Option<AccountId>,
    /// Who is let in by which proof, or why nobody is.
    pub(super) ruling: Ruling,
    /// What a refusal is padded from.
    pub(super) since: Instant,
}

/// Verifies claims with the shared parts of the process.
#[derive(Debug, Clone)]
pub(super) struct Verification {
    core: Arc<Core>,
}

impl Verification {
    /// Verifies by the parts of this process.
    pub(super) fn new(core: Arc<Core>) -> Self {
        Self { core }
    }

    /// Verifies a claim, unless `abandoned` ends before its password is looked at.
    pub(super) async fn verify(
        &self,
        claim: Claim,
        abandoned: impl Future<Output = ()>,
    ) -> Result<Decision, Unavailable> {
        let mut abandoned = pin!(abandoned);
        let (core, now) = (&self.core, claim.now());
        let id = core.sources.id(now);
        // Who is gone leaves the queue even when its turn has just come.
        let reserved = tokio::select! {
            biased;
            () = &mut abandoned => return Err(Unavailable::Abandoned),
            reserved = core.guard.reserve(&core.tasks, &claim.request, (id, now), claim.deadline) => reserved?,
        };
        let Reservation { guard_key, candidate, charge, highest_cost } = reserved;
        // Before anything is answered: a refusal costs what the most expensive hash does.
        if let Some(cost) = highest_cost {
            core.pool.cost_seen(cost);
        }
        let account = candidate.as_ref().map(|candidate| candidate.identity.id);
        let held = match charge {
            Ok(held) => held,
            Err(why) => {
                let reason = match (why, claim.known_only) {
                    (NoCharge::NotKnown, Some(reason)) => reason,
                    (NoCharge::Busy, _) => RefusalReason::Busy,
                    _ => RefusalReason::Locked,
                };
                metrics::counter!(GUARD_REFUSALS, "why" => reason.name()).increment(1);
                let (ruling, since) = (Err(reason), Instant::now());
                return Ok(Decision { guard_key, account, ruling, since });
            }
        };

        // Whatever ends this before there is a ruling takes the charge back.
        let (ruling, since) = if self.redeem(&claim, account).await? {
            (self.rule(&claim, candidate, Proof::Ticket), Instant::now())
        } else {
            self.check(&claim, candidate, held.budget(), abandoned).await?
        };
        let network = claim.request.network;
        let subject = Subject { account, guard_key: Some(guard_key), network };
        self.settle(held.into_charge(), subject, &ruling, claim.now()).await;
        Ok(Decision { guard_key, account, ruling, since })
    }

    /// Settles a charge beside the answer, and waits for that as long as for any step: who comes next
    /// finds it settled. When the database is slower than that, the ruling stands all the same, and a
    /// ticket that was used up is not lost.
    async fn settle(&self, charge: Charge, subject: Subject, ruling: &Ruling, now: DateTime<Utc>) {
        let let_in = ruling.as_ref().ok().map(|(identity, _)| identity.id);
        let must_change = *ruling == Err(RefusalReason::MustChange);
        let (done, settled) = oneshot::channel::<()>();
        let core = Arc::clone(&self.core);
        self.core.tasks.spawn(async move {
            let Core { tasks, guard, sources, .. } = &*core;
            if let Some(account) = let_in {
                let who = (account, subject.network);
                let succeed = || guard.succeeded(&charge, who, *sources, now);
                retry_until_done(tasks, "a success is not counted", succeed).await;
            } else {
                let whose = (subject.account, must_change);
                let fail = || guard.failed(&charge, whose, *sources, now);
                if retry_until_done(tasks, "a failure is not counted yet", fail).await == Some(true)
                {
                    notices::account_locked(&core, subject, now);
                }
            }
            drop(done);
        });
        // Nothing is sent: the task's end is what is waited for.
        let _ = timeout(LONGEST_STEP, settled).await;
    }

    /// Whether the password is a ticket for this account, which is used up by this. Asks the database
    /// whether or not there is an account.
    async fn redeem(&self, claim: &Claim, account: Option<AccountId>) -> Result<bool, StoreError> {
        match claim.ticket() {
            Some(ticket) => {
                let store = &self.core.store;
                store.redeem_ticket(ticket, account, claim.request.network, claim.now()).await
            }
            None => Ok(false),
        }
    }

    /// Hashes. When the place in the pool is there, nothing stops it any more.
    async fn check(
        &self,
        claim: &Claim,
        candidate: Option<Candidate>,
        budget: Budget,
        abandoned: impl Future<Output = ()>,
    ) -> Result<(Ruling, Instant), Unavailable> {
        let caller = match budget {
            Budget::Known(_) => Caller::Known,
            Budget::Strangers => Caller::Stranger,
        };
        let permit = tokio::select! {
            permit = self.core.pool.acquire(caller, claim.deadline) => permit?,
            () = abandoned => return Err(Unavailable::Abandoned),
        };
        let stored = candidate.as_ref().and_then(|candidate| candidate.credential.clone());
        let wanted = self.rule(claim, candidate, Proof::Password);
        // An account that may not be used costs what a wrong password costs.
        let password = claim.password.clone().unwrap_or_default();
        let verifiable = stored.clone().filter(|_| claim.password.is_some());
        let verified = permit.verify(password, verifiable, wanted.is_ok()).await;
        let ruling = match wanted {
            Err(reason) if verified.fits || reason.comes_before_the_password() => Err(reason),
            _ if !verified.fits => Err(match claim.ticket() {
                Some(_) => RefusalReason::Ticket,
                None => RefusalReason::WrongPassword,
            }),
            wanted => wanted,
        };
        if let (Ok((identity, _)), Some(stored)) = (&ruling, stored) {
            self.upgrade(identity.id, stored, claim);
        }
        Ok((ruling, verified.since))
    }

    /// The ruling on a claim whose proof holds.
    fn rule(&self, claim: &Claim, candidate: Option<Candidate>, proof: Proof) -> Ruling {
        if claim.request.name.is_none() || claim.password.is_none() {
            return Err(RefusalReason::Malformed);
        }
        let candidate = candidate.ok_or(RefusalReason::UnknownName)?;
        if candidate.credential.is_none() && proof == Proof::Password {
            return Err(RefusalReason::NoPassword);
        }
        if !candidate.is_active {
            return Err(RefusalReason::Disabled);
        }
        if candidate.must_change && proof == Proof::Password {
            return Err(RefusalReason::MustChange);
        }
        if self.core.require_verified_email && !candidate.identity.email_verified {
            return Err(RefusalReason::UnverifiedEmail);
        }
        Ok((candidate.identity, proof))
    }

    /// Gives the account a hash of today's kind, beside the answer. A second attempt at the same
    /// time, or a new password, finds another hash there and changes nothing.
    fn upgrade(&self, account: AccountId, stored: Credential, claim: &Claim) {
        let Some(password) = claim.password.clone() else { return };
        if !self.core.pool.is_outdated(&stored) {
            return;
        }
        let core = Arc::clone(&self.core);
        self.core.tasks.spawn(async move {
            // Nobody waits for it: when the processor is busy, the next login will see to it.
            let Ok(fresh) = core.pool.hash(password, Caller::Stranger, None).await else { return };
            if let Err(fault) = core.store.upgrade_password(account, &stored, &fresh).await {
                warn!(error = %ErrorChain(&fault), "a password hash is not upgraded yet");
            }
        });
    }
}
