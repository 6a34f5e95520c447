//! Writing the audit trail beside what happens.

use tracing::error;

use crate::audit::Entry;
use crate::login::Causes;
use crate::metrics::AUDIT_FAILURES;
use crate::store::Store;

/// Writes a line. One that is lost raises an alarm and changes nothing else.
pub async fn keep(store: &Store, entry: &Entry) {
    if let Err(fault) = store.record(entry).await {
        metrics::counter!(AUDIT_FAILURES).increment(1);
        error!(event = entry.event.name(), id = %entry.id, error = %Causes(&fault),
               "audit line lost");
    }
}
