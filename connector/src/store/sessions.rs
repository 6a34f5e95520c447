//! Ending sessions, and what cannot be done to an account without ending them.

use chrono::{DateTime, TimeDelta, Utc};
use uuid::Uuid;

use super::Store;
use super::due::names;
use super::error::StoreError;
use super::step::in_time;
use super::unit_of_work::UnitOfWork;
use crate::account::AccountId;
use crate::audit::Entry;
use crate::due::WorkKind;

/// How long after the end of sessions Dex is first asked to forget them. It dates a refresh token
/// a moment before it stores it: asked at once, it would not know yet of one that is just issued.
const ISSUING: TimeDelta = TimeDelta::seconds(1);

impl UnitOfWork {
    /// Ends all sessions of an account: what was logged in before may not go on, and Dex is to forget
    /// it. That request outlives the account; `fresh_id` becomes its id.
    pub async fn end_sessions(
        &mut self,
        account: AccountId,
        fresh_id: Uuid,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            r#"
            with bumped as (
                update users
                set auth_epoch = auth_epoch + 1, updated_at = $3, sessions_ended_at = $3
                where id = $2
            )
            insert into due_work (id, kind, user_id, created_at, due_at)
            values ($1, $5, $2, $3, $4)
            "#,
            fresh_id,
            Uuid::from(account),
            now,
            now + ISSUING,
            WorkKind::Revocation.name()
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Forbids the use of an account and ends its sessions. `false`: there is nothing to forbid, and
    /// nothing was written.
    pub async fn disable(
        &mut self,
        account: AccountId,
        fresh_id: Uuid,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        let disabled = sqlx::query!(
            "update users set is_active = false where id = $1 and is_active",
            Uuid::from(account)
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        if disabled > 0 {
            self.end_sessions(account, fresh_id, entry.at).await?;
        }
        self.record_change(disabled, entry).await
    }

    /// Allows the use of an account again. Sessions that were ended stay ended. `false`: there is
    /// nothing to allow, and nothing was written.
    pub async fn enable(&mut self, account: AccountId, entry: &Entry) -> Result<bool, StoreError> {
        let enabled = sqlx::query!(
            "update users set is_active = true, updated_at = $2 where id = $1 and not is_active",
            Uuid::from(account),
            entry.at
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        self.record_change(enabled, entry).await
    }

    /// Removes an account with all that is its own, also an invitation of its address and mail that was to be written
    /// to its owner, and ends its sessions. Its lines of the trail stay. `false`: there was none, and nothing was written.
    pub async fn delete(
        &mut self,
        account: AccountId,
        fresh_id: Uuid,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        let deleted = sqlx::query!(
            r#"
            with mail as (
                delete from due_work where user_id = $1 and kind = any ($2)
            ), invited as (
                delete from invitations
                where email_key = (select email_key from users where id = $1)
            )
            delete from users where id = $1
            "#,
            Uuid::from(account),
            &names(&WorkKind::MAIL)
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        if deleted > 0 {
            self.end_sessions(account, fresh_id, entry.at).await?;
        }
        self.record_change(deleted, entry).await
    }
}

/// Each of them alone.
impl Store {
    /// [`UnitOfWork::disable`].
    pub async fn disable(
        &self,
        account: AccountId,
        fresh_id: Uuid,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        in_time(async {
            let mut unit = self.begin().await?;
            let disabled = unit.disable(account, fresh_id, entry).await?;
            unit.commit().await.map(|()| disabled)
        })
        .await
    }

    /// [`UnitOfWork::enable`].
    pub async fn enable(&self, account: AccountId, entry: &Entry) -> Result<bool, StoreError> {
        in_time(async {
            let mut unit = self.begin().await?;
            let enabled = unit.enable(account, entry).await?;
            unit.commit().await.map(|()| enabled)
        })
        .await
    }

    /// [`UnitOfWork::delete`].
    pub async fn delete(
        &self,
        account: AccountId,
        fresh_id: Uuid,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        in_time(async {
            let mut unit = self.begin().await?;
            let deleted = unit.delete(account, fresh_id, entry).await?;
            unit.commit().await.map(|()| deleted)
        })
        .await
    }
}
