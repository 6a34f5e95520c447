//! The order of the steps of an attempt, and of going on after one.
//!
//! resolve the account → verify against its hash or a decoy → audit. Two rooms stand beside this
//! one in the plan of the house and are entered first once they exist: `limits` before the account
//! is resolved, `guard` around the verification.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use service_process::lifecycle::Tasks;
use thiserror::Error;
use tokio::time::Instant;
use tracing::error;

use crate::account::{AccountId, Identity, InvalidName, LoginName};
use crate::audit::{DenialReason, Entry, Event, Ids, Origin, RefusalReason};
use crate::password::{Pool, Saturated};
use crate::store::{Candidate, Store, StoreError};

/// Longest password that is looked at, in bytes. NIST SP 800-63B-4 §3.1.1.2 asks for at least 64
/// characters; 1,024 leave room for a passphrase in any script.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// One attempt to log in.
#[derive(Debug)]
pub struct Attempt {
    /// The name, if what was typed can be one.
    pub name: Result<LoginName, InvalidName>,
    /// What was typed as the password.
    pub password: SecretString,
    /// The length of that, in bytes.
    pub password_bytes: usize,
    /// Whether the relying party asked for groups.
    pub wants_groups: bool,
    /// Where it comes from.
    pub origin: Origin,
    /// When the caller gives up, if it said so.
    pub deadline: Option<Instant>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The person is who they say.
    Granted(Identity),
    /// They are not, or must not. The reason is for the audit trail.
    Refused(RefusalReason),
}

/// A wish to go on after an earlier login.
#[derive(Debug)]
pub struct Renewal {
    /// The account.
    pub account: AccountId,
    /// The account's epoch at that login, if what Dex kept can be one.
    pub auth_epoch: Option<i64>,
    /// Whether the relying party asked for groups.
    pub wants_groups: bool,
    /// Where it comes from.
    pub origin: Origin,
}

/// Something that an attempt needs is missing. It says nothing about the person.
#[derive(Debug, Error)]
pub enum Unavailable {
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Processor time.
    #[error(transparent)]
    Saturated(#[from] Saturated),
}

/// Verifies people.
#[derive(Debug)]
pub struct Logins {
    store: Store,
    pool: Pool,
    ids: Arc<Ids>,
    tasks: Tasks,
}

impl Logins {
    /// Logins against this store.
    #[must_use]
    pub fn new(store: Store, pool: Pool, ids: Ids, tasks: Tasks) -> Self {
        Self { store, pool, ids: Arc::new(ids), tasks }
    }

    /// Verifies one attempt. Whatever the reason of a refusal, one hash is computed.
    pub async fn attempt(
        &self,
        attempt: Attempt,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Unavailable> {
        let Attempt { name, password, password_bytes, wants_groups, origin, .. } = attempt;
        let well_formed = name.is_ok() && password_bytes <= MAX_PASSWORD_BYTES;
        let candidate = match &name {
            Ok(name) => self.store.candidate(name).await?,
            Err(_) => None,
        };
        let hash = candidate.as_ref().and_then(|candidate| candidate.password.clone());
        let has_password = hash.is_some();
        // A long password would make its hash, and with it the answer, slower than others.
        let password = if well_formed { password } else { SecretString::default() };
        let fits = self.pool.verify(password, hash).await?;

        let account = candidate.as_ref().map(|candidate| candidate.identity.id);
        let outcome = match candidate {
            _ if !well_formed => Outcome::Refused(RefusalReason::Malformed),
            None => Outcome::Refused(RefusalReason::UnknownName),
            Some(_) if !has_password => Outcome::Refused(RefusalReason::NoPassword),
            Some(_) if !fits => Outcome::Refused(RefusalReason::WrongPassword),
            Some(Candidate { is_active: false, .. }) => Outcome::Refused(RefusalReason::Disabled),
            Some(Candidate { identity, .. }) => {
                Outcome::Granted(self.with_groups(identity, wants_groups).await?)
            }
        };
        let event = match &outcome {
            Outcome::Granted(_) => Event::LoginOk,
            Outcome::Refused(reason) => Event::LoginFail(*reason),
        };
        self.record(event, account, origin, now);
        Ok(outcome)
    }

    /// Lets an account go on, with its claims as they are now, or says why not.
    ///
    /// A raised epoch ends what came before it: a session is worth what the account's epoch was at
    /// its login.
    pub async fn refresh(
        &self,
        renewal: Renewal,
        now: DateTime<Utc>,
    ) -> Result<Result<Identity, DenialReason>, Unavailable> {
        let Renewal { account, auth_epoch, wants_groups, origin } = renewal;
        let verdict = match self.store.account(account).await? {
            None => Err(DenialReason::Deleted),
            Some((_, false)) => Err(DenialReason::Disabled),
            Some((identity, true)) if auth_epoch != Some(identity.auth_epoch) => {
                Err(DenialReason::OldEpoch)
            }
            Some((identity, true)) => Ok(self.with_groups(identity, wants_groups).await?),
        };
        let event =
            verdict.as_ref().map_or_else(|r| Event::RefreshDenied(*r), |_| Event::RefreshOk);
        self.record(event, Some(account), origin, now);
        Ok(verdict)
    }

    async fn with_groups(
        &self,
        mut identity: Identity,
        wanted: bool,
    ) -> Result<Identity, StoreError> {
        if wanted {
            identity.groups = self.store.groups(identity.id).await?;
        }
        Ok(identity)
    }

    /// Writes to the trail beside the answer: the trail never delays or changes an outcome.
    fn record(&self, event: Event, account: Option<AccountId>, origin: Origin, now: DateTime<Utc>) {
        let reason = event.reason().unwrap_or("");
        metrics::counter!("auth_events_total", "event" => event.name(), "reason" => reason)
            .increment(1);
        let entry = Entry { id: self.ids.next(now), at: now, event, account, origin };
        let store = self.store.clone();
        self.tasks.spawn(async move {
            if let Err(fault) = store.record(&entry).await {
                metrics::counter!("audit_failures_total").increment(1);
                error!(event = entry.event.name(), id = %entry.id, error = %Causes(&fault),
                       "audit line lost");
            }
        });
    }
}

/// Shows an error with its causes, in one line.
pub(crate) struct Causes<'a>(pub(crate) &'a (dyn std::error::Error + 'static));

impl std::fmt::Display for Causes<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut cause = self.0.source();
        while let Some(error) = cause {
            write!(f, ": {error}")?;
            cause = error.source();
        }
        Ok(())
    }
}
