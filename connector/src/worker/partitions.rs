//! Keeps the audit trail's partitions ahead of the calendar.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::store::{Store, StoreError};

/// Daily. There are three months to get it right in.
pub(super) const EVERY: Duration = Duration::from_hours(24);

/// Makes the partitions of this month and of the three after it that are missing.
pub(super) async fn make(store: &Store, now: DateTime<Utc>) -> Result<(), StoreError> {
    store.make_audit_partitions(now).await
}
