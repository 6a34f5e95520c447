//! Writing the audit trail.

use sqlx::PgConnection;
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::{in_time, to_the_end};
use crate::audit::Entry;
use crate::lockout::GuardKey;

impl Store {
    /// Adds lines to the trail, all or none. Those that stand there already stay as they are. Not given
    /// up before 30 s, and then with its connection: tries that follow each other take one, not one each.
    pub async fn record_all(&self, entries: &[Entry]) -> Result<(), StoreError> {
        fn column<T>(entries: &[Entry], value: impl Fn(&Entry) -> T) -> Vec<T> {
            entries.iter().map(value).collect()
        }
        let mut connection = in_time(self.pool.acquire()).await?;
        let written = to_the_end(
            sqlx::query!(
                r#"
                insert into audit_events
                    (id, at, event, reason, user_id, connector_id, remote_ip, request_id,
                     guard_key, count)
                select id, at, event, reason, user_id, connector_id, remote_ip::inet, request_id,
                       guard_key, count
                from unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[],
                            $6::text[], $7::text[], $8::text[], $9::bytea[], $10::integer[])
                    as line (id, at, event, reason, user_id, connector_id, remote_ip, request_id,
                             guard_key, count)
                on conflict do nothing
                "#,
                &column(entries, |entry| entry.id),
                &column(entries, |entry| entry.at),
                &column(entries, |entry| entry.event.name().to_owned()),
                &column(entries, |entry| entry.event.reason()) as &[Option<&str>],
                &column(entries, |entry| entry.account.map(Uuid::from)) as &[Option<Uuid>],
                &column(entries, |entry| entry.origin.connector_id.clone()),
                &column(entries, |entry| entry.origin.remote_ip.map(|ip| ip.to_string()))
                    as &[Option<String>],
                &column(entries, |entry| entry.origin.request_id.clone()),
                &column(entries, |entry| entry.guard_key.map(|key| key.as_bytes().to_vec()))
                    as &[Option<Vec<u8>>],
                &column(entries, |entry| i32::try_from(entry.count).unwrap_or(i32::MAX))
            )
            .execute(&mut *connection),
        )
        .await;
        if matches!(written, Err(StoreError::TimedOut)) {
            connection.close_on_drop();
        }
        written.map(drop)
    }
}

/// Adds a line to the trail, in the transaction of what it tells.
pub(super) async fn insert(transaction: &mut PgConnection, entry: &Entry) -> sqlx::Result<()> {
    // A bare address has the length of its family, which is what a host is.
    let remote_ip = entry.origin.remote_ip.map(|ip| ip.to_string());
    sqlx::query!(
        r#"
        insert into audit_events
            (id, at, event, reason, user_id, connector_id, remote_ip, request_id, guard_key, count)
        values ($1, $2, $3, $4, $5, $6, $7::text::inet, $8, $9, $10)
        "#,
        entry.id,
        entry.at,
        entry.event.name(),
        entry.event.reason(),
        entry.account.map(Uuid::from),
        entry.origin.connector_id,
        remote_ip,
        entry.origin.request_id,
        entry.guard_key.as_ref().map(GuardKey::as_bytes),
        i32::try_from(entry.count).unwrap_or(i32::MAX)
    )
    .execute(transaction)
    .await?;
    Ok(())
}
