//! Ending sessions, and what cannot be done to an account without ending them.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::PgConnection;
use uuid::Uuid;

use super::{Store, StoreError, audit, in_time};
use crate::account::AccountId;
use crate::audit::Entry;

/// How long after the end of sessions Dex is first asked to forget them. It dates a refresh token
/// a moment before it stores it: asked at once, it would not know yet of one that is just issued.
const ISSUING: TimeDelta = TimeDelta::seconds(1);

/// Ends all sessions of an account, as a step of a larger transaction: what was logged in before
/// may not go on, and Dex is to forget it. The wish outlives the account.
///
/// `fresh_id` becomes the id of that wish.
pub(super) async fn end_sessions(
    transaction: &mut PgConnection,
    account: AccountId,
    fresh_id: Uuid,
    now: DateTime<Utc>,
) -> sqlx::Result<()> {
    sqlx::query!(
        r#"
        with bumped as (
            update users set auth_epoch = auth_epoch + 1, updated_at = $3 where id = $2
        )
        insert into revocations (id, user_id, requested_at, next_attempt_at)
        values ($1, $2, $3, $4)
        "#,
        fresh_id,
        Uuid::from(account),
        now,
        now + ISSUING
    )
    .execute(transaction)
    .await?;
    Ok(())
}

impl Store {
    /// Forbids the use of an account and ends its sessions, with its line of the trail. `false`: there
    /// is nothing to forbid, and nothing was written.
    pub async fn disable(
        &self,
        account: AccountId,
        fresh_id: Uuid,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        in_time(async {
            let mut transaction = self.pool.begin().await?;
            let disabled = sqlx::query!(
                "update users set is_active = false where id = $1 and is_active",
                Uuid::from(account)
            )
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if disabled == 0 {
                return Ok(false);
            }
            end_sessions(&mut transaction, account, fresh_id, entry.at).await?;
            audit::insert(&mut *transaction, entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Allows the use of an account again, with its line of the trail. Sessions that were ended stay
    /// ended. `false`: there is nothing to allow, and nothing was written.
    pub async fn enable(&self, account: AccountId, entry: &Entry) -> Result<bool, StoreError> {
        in_time(async {
            let mut transaction = self.pool.begin().await?;
            let enabled = sqlx::query!(
                "update users set is_active = true, updated_at = $2 where id = $1 and not is_active",
                Uuid::from(account),
                entry.at
            )
            .execute(&mut *transaction)
            .await?
            .rows_affected();
            if enabled == 0 {
                return Ok(false);
            }
            audit::insert(&mut *transaction, entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }

    /// Removes an account with all that is its own, and ends its sessions, with its line of the trail,
    /// which stays. `false`: there was none, and nothing was written.
    pub async fn delete(
        &self,
        account: AccountId,
        fresh_id: Uuid,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        in_time(async {
            let mut transaction = self.pool.begin().await?;
            let deleted = sqlx::query!("delete from users where id = $1", Uuid::from(account))
                .execute(&mut *transaction)
                .await?
                .rows_affected();
            if deleted == 0 {
                return Ok(false);
            }
            end_sessions(&mut transaction, account, fresh_id, entry.at).await?;
            audit::insert(&mut *transaction, entry).await?;
            transaction.commit().await?;
            Ok(true)
        })
        .await
    }
}
