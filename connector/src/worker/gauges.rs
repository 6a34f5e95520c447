//! What waits, as metrics: for alarms.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::metrics::{AUDIT_PARTITIONS_AHEAD, OUTBOX_AGE, REVOCATION_AGE};
use crate::store::{Store, StoreError};

/// At least as often as metrics are usually read.
pub(super) const EVERY: Duration = Duration::from_secs(5);

/// Sets the gauges of what waits now.
pub(super) async fn show(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    let age = |oldest: Option<DateTime<Utc>>| {
        oldest.map_or(0.0, |since| (now - since).as_seconds_f64().max(0.0))
    };
    let backlog = store.backlog(now).await?;
    metrics::gauge!(REVOCATION_AGE).set(age(backlog.oldest_revocation));
    metrics::gauge!(OUTBOX_AGE).set(age(backlog.oldest_mail));
    metrics::gauge!(AUDIT_PARTITIONS_AHEAD).set(backlog.partitions_ahead);
    Ok(())
}
