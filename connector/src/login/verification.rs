//! One verification: charged, hashed, settled.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use tracing::warn;

use super::claim::Claim;
use super::{Causes, Logins, Subject, Unavailable, Verdict};
use crate::account::{AccountId, Identity};
use crate::audit::{Event, Origin, Proof, RefusalReason};
use crate::guard::{Budget, Charge, GuardKey, NoCharge, Reservation, Whom};
use crate::metrics as names;
use crate::password::{Caller, Credential};
use crate::store::{Candidate, MailKind, StoreError};

impl Verdict {
    /// A refusal before anything was verified.
    pub(super) fn refused(guard_key: GuardKey, reason: RefusalReason) -> Self {
        Self { guard_key, account: None, ruling: Err(reason), since: Instant::now() }
    }
}

impl Logins {
    /// Verifies a claim, unless `abandoned` ends before its password is looked at.
    pub(super) async fn verify(
        &self,
        claim: &Claim,
        abandoned: impl Future<Output = ()>,
    ) -> Result<Verdict, Unavailable> {
        let now = claim.now();
        let whom = Whom {
            name: claim.name.as_ref(),
            name_key: &claim.name_key,
            network: claim.network,
            known_only: claim.known_only.is_some(),
        };
        let id = self.parts.ids.next(now);
        let reserved = self.parts.guard.reserve(whom, id, now, claim.deadline).await?;
        let Reservation { guard_key, candidate, charge } = reserved;
        let account = candidate.as_ref().map(|candidate| candidate.identity.id);
        let charge = match charge {
            Ok(charge) => charge,
            Err(why) => {
                let reason = match (why, claim.known_only) {
                    (NoCharge::NotKnown, Some(reason)) => reason,
                    (NoCharge::Busy, _) => RefusalReason::Busy,
                    _ => RefusalReason::Locked,
                };
                metrics::counter!(names::GUARD_REFUSALS, "why" => reason.name()).increment(1);
                return Ok(Verdict { account, ..Verdict::refused(guard_key, reason) });
            }
        };

        let ruled = match self.redeem(claim, account).await {
            Ok(true) => Ok((self.rule(claim, candidate, Proof::Ticket), Instant::now())),
            Ok(false) => self.check(claim, candidate, &charge, abandoned).await,
            Err(fault) => Err(fault.into()),
        };
        let (ruling, since) = match ruled {
            Ok(ruled) => ruled,
            Err(missing) => {
                self.take_back(&charge).await;
                return Err(missing);
            }
        };
        let guard = &self.parts.guard;
        if let Ok((identity, _)) = &ruling {
            guard.succeeded(&charge, identity.id, claim.network, claim.now()).await?;
        } else if guard.failed(&charge, claim.now()).await? {
            let network = claim.network;
            let subject = Subject { account, guard_key: Some(guard_key), network };
            self.locked(subject, claim.now()).await?;
        }
        if ruling == Err(RefusalReason::MustChange) {
            let mail = self.parts.ids.next(now);
            self.parts.store.post_once(MailKind::MustChange, account, mail, now).await?;
        }
        Ok(Verdict { guard_key, account, ruling, since })
    }

    /// Whether the password is a ticket for this account, which is used up by this. Asks the database
    /// whether or not there is an account.
    async fn redeem(&self, claim: &Claim, account: Option<AccountId>) -> Result<bool, StoreError> {
        match claim.ticket() {
            Some(ticket) => {
                let store = &self.parts.store;
                store.redeem_ticket(ticket, account, claim.network, claim.now()).await
            }
            None => Ok(false),
        }
    }

    /// Hashes. When the place in the pool is there, nothing stops it any more.
    async fn check(
        &self,
        claim: &Claim,
        candidate: Option<Candidate>,
        charge: &Charge,
        abandoned: impl Future<Output = ()>,
    ) -> Result<(Result<(Identity, Proof), RefusalReason>, Instant), Unavailable> {
        let caller = match charge.budget {
            Budget::Known(_) => Caller::Known,
            Budget::Strangers => Caller::Stranger,
        };
        let permit = tokio::select! {
            permit = self.parts.pool.acquire(caller, claim.deadline) => permit?,
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

    /// What becomes of the claim if its proof holds.
    fn rule(
        &self,
        claim: &Claim,
        candidate: Option<Candidate>,
        proof: Proof,
    ) -> Result<(Identity, Proof), RefusalReason> {
        if claim.name.is_none() || claim.password.is_none() {
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
        if self.parts.require_verified_email && !candidate.identity.email_verified {
            return Err(RefusalReason::UnverifiedEmail);
        }
        Ok((candidate.identity, proof))
    }

    /// Gives the account a hash of today's kind, beside the answer. A second attempt at the same
    /// time, or a new password, finds another hash there and changes nothing.
    fn upgrade(&self, account: AccountId, stored: Credential, claim: &Claim) {
        let Some(password) = claim.password.clone() else { return };
        if !self.parts.pool.is_outdated(&stored) {
            return;
        }
        let pool = Arc::clone(&self.parts.pool);
        let store = self.parts.store.clone();
        self.tasks.spawn(async move {
            // Nobody waits for it: when the processor is busy, the next login will see to it.
            let Ok(fresh) = pool.hash(password, Caller::Stranger, None).await else { return };
            if let Err(fault) = store.upgrade_password(account, &stored, &fresh).await {
                warn!(error = %Causes(&fault), "a password hash is not upgraded yet");
            }
        });
    }

    /// The account, or the name, is closed to strangers from now on.
    pub(super) async fn locked(
        &self,
        subject: Subject,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        metrics::counter!(names::ACCOUNT_LOCKS).increment(1);
        self.record(Event::AccountLocked, subject, Origin::default(), now);
        // The same statement for names that belong to nobody: it writes nothing then.
        let mail = self.parts.ids.next(now);
        self.parts.store.post_once(MailKind::AccountLocked, subject.account, mail, now).await
    }

    async fn take_back(&self, charge: &Charge) {
        if let Err(fault) = self.parts.guard.released(charge).await {
            warn!(error = %Causes(&fault), "a charge is not taken back: it will count as a failure");
        }
    }
}
