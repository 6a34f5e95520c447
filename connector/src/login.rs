//! The order of the steps of an attempt, and of going on after one.
//!
//! normalise the name → limits → resolve the account and charge the attempt → a place in the pool →
//! verify against its hash or a decoy → settle the charge → pad → audit. Every way to try a password
//! or a ticket is this one.

mod claim;
mod flights;
mod refresh;
mod verification;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use thiserror::Error;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::{error, warn};

pub use refresh::Renewal;

use crate::account::{AccountId, Identity};
use crate::audit::{Event, Origin, Proof, RefusalReason, Subject};
use crate::core::Core;
use crate::guard::GuardKey;
use crate::limits::Admission;
use crate::password::Saturated;
use crate::store::StoreError;
use claim::Claim;
use flights::Flights;

/// One attempt to log in.
#[derive(Debug)]
pub struct Attempt {
    /// What was typed as the name.
    pub typed_name: SecretString,
    /// What was typed as the password, or a ticket.
    pub password: SecretString,
    /// Whether the relying party asked for groups.
    pub wants_groups: bool,
    /// Where it comes from.
    pub origin: Origin,
    /// When the caller gives up.
    pub deadline: Option<Instant>,
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The person is who they say.
    Granted(Identity),
    /// They are not, or must not. The reason is for the audit trail.
    Refused(RefusalReason),
    /// Too many attempts came from the network; it may try again after this time.
    Throttled(Duration),
}

/// Something that an attempt needs is missing. It says nothing about the person.
#[derive(Debug, Clone, Error)]
pub enum Unavailable {
    /// The database.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// Processor time.
    #[error(transparent)]
    Saturated(#[from] Saturated),
    /// The caller went away, or the process stops.
    #[error("given up")]
    Abandoned,
}

impl From<StoreError> for Unavailable {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}

/// Verifies people.
#[derive(Debug)]
pub struct Logins {
    core: Arc<Core>,
    flights: Flights,
    /// Who may ask the database about a session.
    refreshing: Arc<Semaphore>,
}

/// What a verification yielded. Shared by those who asked for the same.
#[derive(Debug, Clone)]
struct Verdict {
    guard_key: GuardKey,
    account: Option<AccountId>,
    ruling: Result<(Identity, Proof), RefusalReason>,
    /// What a refusal is padded from.
    since: Instant,
}

impl Logins {
    /// Logins that use the parts of this process.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        // A quarter of the connections: the guard has half, and what is left settles, writes the trail
        // and asks for health.
        let refreshing = Arc::new(Semaphore::new(core.store.share(4)));
        Self { flights: Flights::default(), refreshing, core }
    }

    /// Verifies one attempt that came in at this time.
    ///
    /// Goes on when the caller goes away, so that what was begun is counted and written down; an
    /// attempt whose password was not looked at yet is taken back then.
    pub async fn attempt(
        self: &Arc<Self>,
        attempt: Attempt,
        now: DateTime<Utc>,
    ) -> Result<Outcome, Unavailable> {
        let (answer, answered) = oneshot::channel();
        let gone = CancellationToken::new();
        let (logins, left) = (Arc::clone(self), gone.clone());
        self.core.tasks.spawn(async move {
            // Whoever asked may be gone.
            let _ = answer.send(logins.decide(attempt, now, left).await);
        });
        let _gone = gone.drop_guard();
        answered.await.unwrap_or(Err(Unavailable::Abandoned))
    }

    async fn decide(
        self: Arc<Self>,
        attempt: Attempt,
        now: DateTime<Utc>,
        gone: CancellationToken,
    ) -> Result<Outcome, Unavailable> {
        let network = self.core.proxies.network_of(attempt.origin.remote_ip);
        let mut claim = Claim::new(&self.core.key, &attempt, network, now);
        let name_key = claim.name_key;
        let Attempt { wants_groups, origin, .. } = attempt;
        self.core.limits.follow(self.core.pool.hashes_per_minute());
        match self.core.limits.admit(network, &name_key) {
            Admission::NetworkThrottled { retry_after } => {
                self.core.trail.record_throttled(network, origin, now);
                return Ok(Outcome::Throttled(retry_after));
            }
            Admission::NameThrottled => claim.known_only = Some(RefusalReason::Throttled),
            Admission::Admitted
                if network.is_some_and(|n| self.core.spraying.is_sprayed(n, now)) =>
            {
                claim.known_only = Some(RefusalReason::Sprayed);
            }
            Admission::Admitted => {}
        }
        let Verdict { guard_key, account, ruling, since } = self.verdict(claim, gone).await?;
        let subject = Subject { account, guard_key: Some(guard_key), network };
        match ruling {
            Ok((identity, proof)) => {
                self.core.trail.record(Event::LoginOk(proof), subject, origin, now);
                Ok(Outcome::Granted(with_groups(identity, wants_groups)))
            }
            Err(reason) => {
                if let Some(network) = network {
                    self.core.spraying.failed(network, &name_key, now);
                }
                self.core.trail.record(Event::LoginFail(reason), subject, origin, now);
                self.core.parking.pad(since, self.core.pool.padding()).await?;
                Ok(Outcome::Refused(reason))
            }
        }
    }

    /// Verifies, together with whoever asks for the same at the same time.
    async fn verdict(
        self: &Arc<Self>,
        claim: Claim,
        gone: CancellationToken,
    ) -> Result<Verdict, Unavailable> {
        let (interest, mut landing, pilot) = self.flights.join(claim.flight_key());
        if let Some(pilot) = pilot {
            let logins = Arc::clone(self);
            self.core.tasks.spawn(async move {
                let verdict = logins.verify(&claim, pilot.abandoned()).await;
                pilot.land(verdict);
            });
        }
        tokio::select! {
            verdict = landing.verdict() => return verdict,
            () = gone.cancelled() => drop(interest),
        }
        landing.verdict().await
    }

    /// Sees to what grows with strangers. Due each [`SWEEP_EVERY`](crate::limits::SWEEP_EVERY).
    pub async fn sweep(&self, now: DateTime<Utc>) {
        let core = Arc::clone(&self.core);
        // It walks through up to four million keys.
        if tokio::task::spawn_blocking(move || core.limits.sweep()).await.is_err() {
            error!("the sweep of the limits failed");
        }
        self.core.spraying.sweep(now);
        self.core.trail.write_folded(now, now);
        if let Err(fault) = self.settle_expired(now).await {
            warn!(error = %Causes(&fault), "expired charges are not settled yet");
        }
    }

    /// Tells of accounts that were closed by attempts whose process is gone.
    async fn settle_expired(&self, now: DateTime<Utc>) -> Result<(), StoreError> {
        for (guard_key, account) in self.core.guard.settle_expired(now).await? {
            let subject = Subject { account, guard_key: Some(guard_key), network: None };
            self.locked(subject, now).await;
        }
        Ok(())
    }

    /// Writes down all that is folded: at a stop.
    pub fn write_folded(&self, now: DateTime<Utc>) {
        self.core.trail.write_folded(DateTime::<Utc>::MAX_UTC, now);
    }
}

/// The identity as it is asked for: groups are always read, so that nothing has to be read once
/// somebody is let in.
fn with_groups(mut identity: Identity, wanted: bool) -> Identity {
    if !wanted {
        identity.groups.clear();
    }
    identity
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
