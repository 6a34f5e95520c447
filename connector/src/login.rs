//! The order of the steps of an attempt, and of going on after one.
//!
//! normalise the name → limits → resolve the account and charge the attempt → a place in the pool →
//! verify against its hash or a decoy → settle the charge → audit → pad. Every way to try a password
//! or a ticket is this one.

mod attempt;
mod claim;
mod flights;
mod notices;
mod refresh;
mod upkeep;
mod verification;

use std::sync::Arc;

use chrono::{DateTime, Utc};
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

pub use attempt::{Attempt, Outcome, Purpose, Unavailable, Who};
pub use refresh::{Renewal, Renewals};

use crate::audit::{Event, Proof, RefusalReason, Subject};
use crate::core::Core;
use crate::limits::Admission;
use claim::Claim;
use flights::Flights;
use verification::{Decision, Verification};

/// Lets attempts in, has them verified, and answers.
#[derive(Debug)]
pub struct Logins {
    core: Arc<Core>,
    verification: Verification,
    flights: Flights,
}

impl Logins {
    /// Logins that use the parts of this process.
    #[must_use]
    pub fn new(core: Arc<Core>) -> Self {
        let verification = Verification::new(Arc::clone(&core));
        Self { core, verification, flights: Flights::default() }
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
        let core = &self.core;
        let purpose = attempt.purpose;
        let origin = attempt.origin.clone();
        let network = core.proxies.network_of(origin.remote_ip);
        let by = (&core.key, core.connector_id.as_str());
        let mut claim = Claim::from_attempt(attempt, by, network, now);
        let name_key = claim.request.name_key;
        core.limits.follow(core.pool.hashes_per_minute());
        match core.limits.admit(network, &name_key) {
            Admission::NetworkThrottled { retry_after } => {
                core.trail.record_throttled(network, origin, now);
                return Ok(Outcome::Throttled(retry_after));
            }
            Admission::NameThrottled => claim.let_in_only_known(RefusalReason::Throttled),
            Admission::Admitted if network.is_some_and(|n| core.spraying.is_sprayed(n, now)) => {
                claim.let_in_only_known(RefusalReason::Sprayed);
            }
            Admission::Admitted => {}
        }
        let Decision { guard_key, account, ruling, since } = self.verify(claim, gone).await?;
        let subject = Subject { account, guard_key: Some(guard_key), network };
        match ruling {
            Ok((identity, proof)) => {
                let proof = if purpose == Purpose::Confirm { Proof::Confirmation } else { proof };
                core.trail.record(Event::LoginOk(proof), subject, origin, now);
                Ok(Outcome::Granted(identity.with_groups_if(purpose.wants_groups())))
            }
            Err(reason) => {
                if let Some(network) = network {
                    core.spraying.failed(network, &name_key, now);
                }
                core.trail.record(Event::LoginFail(reason), subject, origin, now);
                core.parking.pad(since, core.pool.padding()).await?;
                Ok(Outcome::Refused(reason))
            }
        }
    }

    /// Verifies, together with whoever asks for the same at the same time.
    async fn verify(&self, claim: Claim, gone: CancellationToken) -> Result<Decision, Unavailable> {
        let (interest, mut result, leader) = self.flights.join(claim.flight_key());
        if let Some(leader) = leader {
            let verification = self.verification.clone();
            self.core.tasks.spawn(async move {
                let decision = verification.verify(claim, leader.abandoned()).await;
                leader.finish(decision);
            });
        }
        tokio::select! {
            decision = result.get() => return decision,
            () = gone.cancelled() => drop(interest),
        }
        result.get().await
    }

    /// Sweeps what grows with each stranger: limits, networks that spray, folded lines of the trail,
    /// and charges whose process is gone. Due each [`SWEEP_EVERY`](crate::limits::SWEEP_EVERY).
    pub async fn sweep(&self, now: DateTime<Utc>) {
        upkeep::sweep(&self.core, now).await;
    }

    /// Writes down all that is folded in the trail: at a stop.
    pub fn write_folded(&self, now: DateTime<Utc>) {
        self.core.trail.write_folded(DateTime::<Utc>::MAX_UTC, now);
    }
}
