//! Keeps the audit trail's partitions ahead of the calendar.

use std::sync::Arc;
use std::time::Duration;

use super::Worker;
use crate::store::StoreError;

/// Daily. There are three months to get it right in.
pub(super) const EVERY: Duration = Duration::from_hours(24);

/// Makes the partitions of this month and of the three after it that are missing.
pub(super) async fn make(worker: Arc<Worker>) -> Result<(), StoreError> {
    worker.store.make_audit_partitions((worker.sources.now)()).await
}
