//! The wishes that Dex forget the sessions of an account.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::{Store, StoreError, UnitOfWork, in_time};
use crate::account::AccountId;
use crate::audit::Entry;

/// A wish that Dex forget the sessions of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Its id.
    pub id: Uuid,
    /// The account, which may be gone.
    pub account: AccountId,
    /// Sessions that began later are not meant.
    pub requested_at: DateTime<Utc>,
    /// How often it was tried in vain.
    pub failures: u32,
}

impl Store {
    /// Takes the wish that has been due longest, if one is due at `now`. It is due again at
    /// `until`, unless it is fulfilled or postponed: no lock is held while Dex is asked, and
    /// whoever crashes meanwhile has kept it from others no longer than that.
    pub async fn claim_revocation(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Revocation>, StoreError> {
        let row = in_time(
            sqlx::query!(
                r#"
                update revocations set next_attempt_at = $2
                where id = (
                    select id from revocations where next_attempt_at <= $1
                    order by next_attempt_at limit 1 for update skip locked
                )
                returning id, user_id, requested_at, attempts
                "#,
                now,
                until
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.map(|row| Revocation {
            id: row.id,
            account: row.user_id.into(),
            requested_at: row.requested_at,
            failures: row.attempts.unsigned_abs(),
        }))
    }

    /// Counts a failure, and has the wish wait until `due`.
    pub async fn postpone_revocation(
        &self,
        id: Uuid,
        due: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        in_time(
            sqlx::query!(
                r#"
                update revocations set attempts = attempts + 1, next_attempt_at = $2 where id = $1
                "#,
                id,
                due
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(())
    }

    /// Crosses a fulfilled wish out, with its line of the trail. `false`: somebody else has, first.
    pub async fn finish_revocation(&self, id: Uuid, entry: &Entry) -> Result<bool, StoreError> {
        in_time(async {
            let mut unit = self.begin().await?;
            let finished = unit.finish_revocation(id, entry).await?;
            unit.commit().await.map(|()| finished)
        })
        .await
    }
}

impl UnitOfWork {
    async fn finish_revocation(&mut self, id: Uuid, entry: &Entry) -> Result<bool, StoreError> {
        let finished = sqlx::query!("delete from revocations where id = $1", id)
            .execute(self.connection())
            .await?
            .rows_affected();
        self.record_change(finished, entry).await
    }
}
