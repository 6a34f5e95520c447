//! Mail to be written to the owners of accounts.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::step::to_the_end;
use crate::account::AccountId;
use crate::due::{MailKind, WorkKind};

impl Store {
    /// Has mail written to the account's owner, unless one of this kind waits already or was sent
    /// lately. Without an account it does the same work and writes nothing.
    pub async fn post_once(
        &self,
        kind: MailKind,
        account: Option<AccountId>,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        to_the_end(
            sqlx::query!(
                r#"
                insert into due_work as earlier
                    (id, kind, user_id, unique_key, created_at, due_at, expires_at)
                select $1::uuid, $2::text, users.id, users.id::text,
                       $4::timestamptz, $4, $4 + $5::interval
                from users where users.id = $3
                on conflict (kind, unique_key) do update
                set id = excluded.id, created_at = excluded.created_at, due_at = excluded.due_at,
                    expires_at = excluded.expires_at, finished_at = null, failures = 0
                where earlier.expires_at <= excluded.created_at
                   or earlier.finished_at is not null
                      and earlier.created_at <= excluded.created_at - $6::interval
                "#,
                id,
                WorkKind::Mail(kind).name(),
                account.map(Uuid::from),
                now,
                interval(MailKind::LIFE),
                interval(kind.enough_for())
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(())
    }
}
