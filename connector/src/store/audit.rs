//! Writing the audit trail.

use sqlx::PgExecutor;

use super::{Store, StoreError, in_time};
use crate::audit::Entry;

impl Store {
    /// Adds a line to the trail.
    pub async fn record(&self, entry: &Entry) -> Result<(), StoreError> {
        in_time(insert(&self.pool, entry)).await
    }
}

/// Adds a line to the trail, here or in a transaction.
pub(super) async fn insert(database: impl PgExecutor<'_>, entry: &Entry) -> sqlx::Result<()> {
    // A bare address has the length of its family, which is what a host is.
    let remote_ip = entry.origin.remote_ip.map(|ip| ip.to_string());
    sqlx::query!(
        r#"
                insert into audit_events
                    (id, at, event, reason, user_id, connector_id, remote_ip, request_id,
                     guard_key, count)
                values ($1, $2, $3, $4, $5, $6, $7::text::inet, $8, $9, $10)
                "#,
        entry.id,
        entry.at,
        entry.event.name(),
        entry.event.reason(),
        entry.account.map(uuid::Uuid::from),
        entry.origin.connector_id,
        remote_ip,
        entry.origin.request_id,
        entry.guard_key.as_ref().map(<[u8; 32]>::as_slice),
        i32::try_from(entry.count).unwrap_or(i32::MAX)
    )
    .execute(database)
    .await?;
    Ok(())
}
