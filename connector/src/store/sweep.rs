//! Removing what nobody will read again.

use chrono::{DateTime, Utc};
use sqlx::postgres::PgQueryResult;

use super::Store;
use super::error::StoreError;
use super::step::in_time;

// Sweepers that run at once must not wait for each other, nor for a login: each skips the rows
// that somebody else holds. The next sweep finds them.

impl Store {
    /// Forgets the networks that an account was last known from before `before`; at most `limit`.
    pub async fn sweep_networks(
        &self,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<u64, StoreError> {
        removed(
            sqlx::query!(
                r#"
                delete from known_networks where (user_id, network) in (
                    select user_id, network from known_networks where last_success_at < $1
                    limit $2 for update skip locked
                )
                "#,
                before,
                limit
            )
            .execute(&self.pool),
        )
        .await
    }

    /// Forgets the failures whose last charge was before `before`: those of strangers, and those
    /// of pairs that are not known any more; at most `limit` rows.
    pub async fn sweep_guard(&self, before: DateTime<Utc>, limit: i64) -> Result<u64, StoreError> {
        removed(
            sqlx::query!(
                r#"
                delete from login_guard where (guard_key, network) in (
                    select guard_key, network from login_guard as old
                    where last_charge_at < $1 and not exists (
                        select from users join known_networks as known on known.user_id = users.id
                        where users.guard_key = old.guard_key and known.network = old.network
                    )
                    order by last_charge_at limit $2 for update skip locked
                )
                "#,
                before,
                limit
            )
            .execute(&self.pool),
        )
        .await
    }

    /// Removes due work that was finished and whose end, if it has one, was before `before`; at most
    /// `limit`. Until its end it keeps another of its kind away. What is dead is somebody else's to bury.
    pub async fn sweep_due_work(
        &self,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<u64, StoreError> {
        removed(
            sqlx::query!(
                r#"
                delete from due_work where id in (
                    select id from due_work
                    where coalesce(expires_at, finished_at) < $1 and finished_at is not null
                    limit $2 for update skip locked
                )
                "#,
                before,
                limit
            )
            .execute(&self.pool),
        )
        .await
    }

    /// Removes tickets that ended before `before`; at most `limit`.
    pub async fn sweep_tickets(
        &self,
        before: DateTime<Utc>,
        limit: i64,
    ) -> Result<u64, StoreError> {
        removed(
            sqlx::query!(
                r#"
                delete from login_tickets where ticket_hash in (
                    select ticket_hash from login_tickets where expires_at < $1
                    limit $2 for update skip locked
                )
                "#,
                before,
                limit
            )
            .execute(&self.pool),
        )
        .await
    }
}

/// How many rows a sweep removed.
async fn removed(
    sweep: impl Future<Output = sqlx::Result<PgQueryResult>>,
) -> Result<u64, StoreError> {
    Ok(in_time(sweep).await?.rows_affected())
}
