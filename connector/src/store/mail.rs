//! Mail to be written: posted with what causes it.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::error::StoreError;
use super::interval::interval;
use super::unit_of_work::UnitOfWork;
use crate::account::AccountId;
use crate::due::{MailKind, WorkKind};

impl UnitOfWork {
    /// Has mail written to the account's owner, unless one of this kind is
    /// [enough](MailKind::enough_for). Without an account, or one with an address, it does the same work
    /// and writes nothing.
    pub async fn post(
        &mut self,
        kind: MailKind,
        account: Option<AccountId>,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let enough_for = kind.enough_for();
        sqlx::query!(
            r#"
            insert into due_work as earlier
                (id, kind, user_id, unique_key, created_at, due_at, expires_at)
            select $1::uuid, $2::text, users.id, case when $7 then users.id::text end,
                   $4::timestamptz, $4, $4 + $5::interval
            from users where users.id = $3 and users.email is not null
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
            interval(enough_for.unwrap_or_default()),
            enough_for.is_some()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Has mail of a change written to where the account's mail went before it.
    pub async fn post_to_former_address(
        &mut self,
        kind: MailKind,
        (account, address): (AccountId, &str),
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"
            insert into due_work (id, kind, user_id, address, created_at, due_at, expires_at)
            values ($1, $2, $3, $4, $5::timestamptz, $5, $5 + $6::interval)
            "#,
            id,
            WorkKind::Mail(kind).name(),
            Uuid::from(account),
            address,
            now,
            interval(MailKind::LIFE)
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
