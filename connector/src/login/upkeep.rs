//! What grows with each stranger and is swept from time to time: limits, networks that spray,
//! folded lines of the trail, charges whose process is gone.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use service_process::error_chain::ErrorChain;
use tracing::{error, warn};

use super::notices;
use crate::audit::Subject;
use crate::core::Core;
use crate::store::StoreError;

/// Sweeps once.
pub(super) async fn sweep(core: &Arc<Core>, now: DateTime<Utc>) {
    let swept = Arc::clone(core);
    // It walks through up to four million keys.
    if tokio::task::spawn_blocking(move || swept.limits.sweep()).await.is_err() {
        error!("the sweep of the limits failed");
    }
    core.spraying.sweep(now);
    core.trail.write_folded(now, now);
    if let Err(fault) = settle_expired(core, now).await {
        warn!(error = %ErrorChain(&fault), "expired charges are not settled yet");
    }
}

/// Settles the charges of processes that are gone, and tells of the accounts that this closed.
async fn settle_expired(core: &Core, now: DateTime<Utc>) -> Result<(), StoreError> {
    for (guard_key, account) in core.guard.settle_expired(core.sources, now).await? {
        let subject = Subject { account, guard_key: Some(guard_key), network: None };
        notices::account_locked(core, subject, now);
    }
    Ok(())
}
