//! Has Dex forget the sessions that were ended.
//!
//! The connector refuses to let them go on from the first moment. But as long as Dex has their
//! refresh tokens, an app is shown an error instead of being told to sign its person in again.

use std::time::Duration;

use chrono::TimeDelta;
use service_process::error_chain::ErrorChain;
use service_process::sources::Sources;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::audit::{Entry, Event, Origin};
use crate::dex_api::{DexApi, DexApiError};
use crate::metrics::REVOCATIONS;
use crate::store::{Revocation, Store, StoreError};

/// How often it is looked whether something is due.
pub(super) const EVERY: Duration = Duration::from_secs(1);

/// The longest wait between two attempts, in seconds. After an outage of Dex each revocation is tried
/// within this time, so that all are done well within a minute.
const LONGEST_WAIT: i64 = 10;

/// Tries every revocation that is due, one after another.
pub(super) async fn work(
    store: &Store,
    dex: &DexApi,
    sources: Sources,
    stopping: &CancellationToken,
) -> Result<(), StoreError> {
    while !stopping.is_cancelled() {
        let now = (sources.now)();
        // An attempt that takes longer is made twice, which does no harm.
        let until = now + TimeDelta::seconds(LONGEST_WAIT);
        let Some(due) = store.claim_revocation(now, until).await? else { break };
        let outcome = revoke(dex, &due).await;
        settle(store, dex.connector_id(), sources, &due, outcome).await?;
    }
    Ok(())
}

/// Finishes what was done, and postpones what was not.
async fn settle(
    store: &Store,
    connector_id: &str,
    sources: Sources,
    due: &Revocation,
    outcome: Result<(), DexApiError>,
) -> Result<(), StoreError> {
    let (account, failures, now) = (due.account, due.failures, (sources.now)());
    let name = if outcome.is_ok() { "done" } else { "failed" };
    metrics::counter!(REVOCATIONS, "outcome" => name).increment(1);
    if let Err(error) = outcome {
        // The first failure of a streak; the gauge of its age tells how it goes on.
        if failures == 0 {
            warn!(%account, error = %ErrorChain(&error), "Dex keeps ended sessions: it is tried again");
        }
        return store.postpone(due.id, now + back_off(failures)).await;
    }
    let ended = Entry::of_account(sources.id(now), now, Event::SessionsEnded, account);
    let origin = Origin { connector_id: connector_id.to_owned(), ..Origin::default() };
    if store.finish(due.id, &Entry { origin, ..ended }).await? {
        info!(%account, failures, "Dex forgot the ended sessions");
    }
    Ok(())
}

/// Has Dex forget what began before that was asked for. Dex dates tokens by whole seconds, rounded down: of
/// those of the same second all are revoked, the later ones too.
async fn revoke(dex: &DexApi, due: &Revocation) -> Result<(), DexApiError> {
    let mut dex = dex.connect()?;
    for token in dex.refresh_tokens(due.account).await? {
        if token.created_at <= due.requested_at.timestamp() {
            dex.revoke(due.account, token.client_id).await?;
        }
    }
    Ok(())
}

/// How long to wait after one more failure than these: 1, 2, 4, 8 and then always 10 s.
fn back_off(failures: u32) -> TimeDelta {
    TimeDelta::seconds(2_i64.saturating_pow(failures).min(LONGEST_WAIT))
}

#[cfg(test)]
#[path = "revocations_tests.rs"]
mod tests;
