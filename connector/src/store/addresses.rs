//! Another address for an account, and the one before brought back.

use chrono::{DateTime, Utc};
use sqlx::types::Uuid;

use super::Store;
use super::error::StoreError;
use super::interval::interval;
use super::seed::taken;
use super::step::in_time;
use super::unit_of_work::UnitOfWork;
use crate::account::AccountId;
use crate::due::WorkKind;
use crate::flow::{CodeNumber, REQUEST_LIFE, UNDO_LIFE, UndoCode};

/// An address that was proved for an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAddress {
    /// As it is written.
    pub email: String,
    /// What it is looked up by.
    pub email_key: String,
    /// When its code was asked for.
    pub asked_at: DateTime<Utc>,
}

/// A change of an address that was undone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restored {
    /// Whose it was.
    pub account: AccountId,
    /// The address that it has again.
    pub email: String,
    /// The one that it had since, if that is another.
    pub lost: Option<String>,
}

impl Store {
    /// Where the code goes that brings an address back; `None` if it is good no longer.
    pub async fn undo_address(
        &self,
        id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<Option<String>, StoreError> {
        in_time(
            sqlx::query_scalar!(
                "select email from address_undos where id = $1 and expires_at > $2",
                id,
                now
            )
            .fetch_optional(&self.pool),
        )
        .await
    }

    /// Removes undos that ended before `before`; at most `limit`.
    pub async fn sweep_undos(&self, before: DateTime<Utc>, limit: i64) -> Result<u64, StoreError> {
        let swept = in_time(
            sqlx::query!(
                r#"
                delete from address_undos where id in (
                    select id from address_undos where expires_at < $1
                    limit $2 for update skip locked
                )
                "#,
                before,
                limit
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(swept.rows_affected())
    }
}

impl UnitOfWork {
    /// Uses a code of an account's flow to another address up, and voids all codes that were asked for by the account's
    /// owner or for the address that it has. `None`: somebody was first, or another code counts by now; then all stay.
    pub async fn take_address(
        &mut self,
        account: AccountId,
        CodeNumber { flow, number }: CodeNumber,
    ) -> Result<Option<NewAddress>, StoreError> {
        let row = sqlx::query_as!(
            NewAddress,
            r#"
            with open as (
                select id from account_flows
                where (user_id = $1 or email_key = (select email_key from users where id = $1))
                  and exists (select from account_flows where id = $2 and code = $3 and user_id = $1)
                order by id for update
            ), unsent as (
                delete from due_work
                where flow_id in (select id from open) and flow_id <> $2 and finished_at is null
            ), gone as (
                delete from account_flows where id in (select id from open)
                returning id, code, email, email_key, expires_at - $4::interval as asked_at
            )
            select email, email_key, asked_at as "asked_at!" from gone where id = $2 and code = $3
            "#,
            Uuid::from(account),
            flow,
            number,
            interval(REQUEST_LIFE)
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row)
    }

    /// Gives an account an address that was proved, and ends an invitation of that.
    pub async fn change_address(
        &mut self,
        account: AccountId,
        address: &NewAddress,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"
            with invited as (delete from invitations where email_key = $3)
            update users set email = $2, email_key = $3, email_verified = true, updated_at = $4
            where id = $1
            "#,
            Uuid::from(account),
            address.email,
            address.email_key,
            now
        )
        .execute(self.connection())
        .await
        .map_err(taken)?;
        Ok(())
    }

    /// Lets whoever shows this code bring the address back that an account is about to lose, and has it mailed there.
    /// An account without an address loses none.
    pub async fn keep_address(
        &mut self,
        account: AccountId,
        (id, code): (Uuid, &UndoCode),
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"
            with kept as (
                insert into address_undos
                    (id, user_id, email, email_key, code_hash, changed_at, expires_at)
                select $1, id, email, email_key, $3, $4::timestamptz, $4 + $5::interval
                from users where id = $2 and email is not null
                returning id, email
            )
            insert into due_work (id, kind, user_id, address, created_at, due_at, expires_at)
            select id, $6, $2, email, $4, $4, $4 + $7::interval from kept
            "#,
            id,
            Uuid::from(account),
            &code.hash()[..],
            now,
            interval(UNDO_LIFE),
            WorkKind::Undo.name(),
            interval(REQUEST_LIFE)
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Brings back the address that an account had when this code was mailed there, whatever changed since. Its password
    /// opens nothing until it is changed: somebody else may know it. No code of a later change is good any more.
    /// `None`: no such code is good, or the account may not be used.
    pub async fn restore_address(
        &mut self,
        code: &UndoCode,
        now: DateTime<Utc>,
    ) -> Result<Option<Restored>, StoreError> {
        let hash = code.hash();
        // The account first, as everybody takes it; what it had, as it is when nobody else changes it.
        let held = sqlx::query!(
            r#"
            select users.id, users.email
            from address_undos as undo join users on users.id = undo.user_id
            where code_hash = $1 and undo.expires_at > $2 and is_active
            for update of users
            "#,
            &hash[..],
            now
        )
        .fetch_optional(self.connection())
        .await?;
        let Some(held) = held else { return Ok(None) };
        let undone = sqlx::query!(
            r#"
            with gone as (
                delete from address_undos
                where user_id = $1
                  and changed_at >= (select changed_at from address_undos
                                     where code_hash = $2 and expires_at > $3)
                returning code_hash, email, email_key
            ), changed as (
                update credentials set must_change = true
                where user_id = $1 and exists (select from gone)
            )
            select email, email_key from gone where code_hash = $2
            "#,
            held.id,
            &hash[..],
            now
        )
        .fetch_optional(self.connection())
        .await?;
        let Some(undone) = undone else { return Ok(None) };
        let address =
            NewAddress { email: undone.email, email_key: undone.email_key, asked_at: now };
        self.change_address(held.id.into(), &address, now).await?;
        let lost = held.email.filter(|email| *email != address.email);
        Ok(Some(Restored { account: held.id.into(), email: address.email, lost }))
    }
}
