//! Mail to be written: posted with what causes it, addressed when it is sent, buried when it is dead.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::Store;
use super::due::names;
use super::error::StoreError;
use super::interval::interval;
use super::step::in_time;
use super::unit_of_work::UnitOfWork;
use crate::account::AccountId;
use crate::due::{MailKind, WorkKind};

/// Mail that nobody sent while it was worth sending.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadMail {
    /// What it was about.
    pub kind: WorkKind,
    /// Whose it was.
    pub account: Option<AccountId>,
}

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
        sqlx::query!(
            "select post_mail($1, $2, $3, $4, $5, $6)",
            WorkKind::Mail(kind).name(),
            account.map(Uuid::from),
            id,
            now,
            interval(MailKind::LIFE),
            kind.enough_for().map(interval)
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

    /// Takes away mail that is dead at this time; `None` when there is none, or somebody else takes it.
    pub async fn bury_mail(&mut self, now: DateTime<Utc>) -> Result<Option<DeadMail>, StoreError> {
        let row = sqlx::query!(
            r#"
            delete from due_work where id = (
                select id from due_work
                where kind = any ($1) and finished_at is null and expires_at <= $2
                order by expires_at limit 1 for update skip locked
            )
            returning kind, user_id
            "#,
            &names(&WorkKind::MAIL),
            now
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.and_then(|row| {
            let mut kinds = WorkKind::MAIL.into_iter();
            let kind = kinds.find(|kind| kind.name() == row.kind)?;
            Some(DeadMail { kind, account: row.user_id.map(Into::into) })
        }))
    }
}

impl Store {
    /// Where a mail goes: to the address that is stored with it, else to the one that its account has
    /// now. `None`: nowhere any more.
    pub async fn mail_address(&self, id: Uuid) -> Result<Option<String>, StoreError> {
        let address = in_time(
            sqlx::query_scalar!(
                r#"
                select coalesce(due_work.address, users.email)
                from due_work left join users on users.id = due_work.user_id
                where due_work.id = $1
                "#,
                id
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(address.flatten())
    }
}
