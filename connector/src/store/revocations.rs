//! Sessions that Dex is to forget.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::in_time;
use crate::account::AccountId;
use crate::due::WorkKind;

/// A request that Dex forget the sessions of an account. It is tried until it is done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// The id of its row of due work.
    pub id: Uuid,
    /// The account, which may be gone.
    pub account: AccountId,
    /// Sessions that began later are not meant.
    pub requested_at: DateTime<Utc>,
    /// How often it was tried in vain.
    pub failures: u32,
}

impl Store {
    /// [`claim`](Self::claim), of a revocation.
    pub async fn claim_revocation(
        &self,
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<Revocation>, StoreError> {
        let work = self.claim(&[WorkKind::Revocation], now, until).await?;
        Ok(work.and_then(|work| {
            Some(Revocation {
                id: work.id,
                // The table has no revocation without one.
                account: work.account?,
                requested_at: work.created_at,
                failures: work.failures,
            })
        }))
    }

    /// How many times Dex is yet to forget sessions of the account.
    pub async fn pending_revocations(&self, id: AccountId) -> Result<i64, StoreError> {
        in_time(
            sqlx::query_scalar!(
                r#"
                select count(*) as "count!" from due_work
                where user_id = $1 and kind = $2 and finished_at is null
                "#,
                Uuid::from(id),
                WorkKind::Revocation.name()
            )
            .fetch_one(&self.pool),
        )
        .await
    }
}
