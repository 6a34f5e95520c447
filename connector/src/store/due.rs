//! Rows of due work: claimed, postponed, finished.

use chrono::{DateTime, Utc};
use uuid::Uuid;

use super::Store;
use super::error::StoreError;
use super::step::in_time;
use super::unit_of_work::UnitOfWork;
use crate::account::AccountId;
use crate::audit::Entry;
use crate::due::WorkKind;

/// Work that was claimed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DueWork {
    /// Its id.
    pub id: Uuid,
    /// What is to be done.
    pub kind: WorkKind,
    /// Whom it is about. The account may be gone; `None` for somebody without one.
    pub account: Option<AccountId>,
    /// When the work was asked for.
    pub created_at: DateTime<Utc>,
    /// How often it was tried in vain.
    pub failures: u32,
}

impl Store {
    /// Takes the work of these kinds that has been due longest, if some is due at `now`. It is due
    /// again at `until`, unless it is finished or postponed: no lock is held while it is done, and
    /// whoever crashes meanwhile has kept it from others no longer than that.
    pub async fn claim(
        &self,
        kinds: &[WorkKind],
        now: DateTime<Utc>,
        until: DateTime<Utc>,
    ) -> Result<Option<DueWork>, StoreError> {
        let row = in_time(
            sqlx::query!(
                r#"
                update due_work set due_at = $2
                where id = (
                    select id from due_work
                    where kind = any ($3) and due_at <= $1 and finished_at is null
                      and (expires_at is null or expires_at > $1)
                    order by due_at limit 1 for update skip locked
                )
                returning id, kind, user_id, created_at, failures
                "#,
                now,
                until,
                &names(kinds)
            )
            .fetch_optional(&self.pool),
        )
        .await?;
        Ok(row.and_then(|row| {
            Some(DueWork {
                id: row.id,
                kind: kinds.iter().copied().find(|kind| kind.name() == row.kind)?,
                account: row.user_id.map(Into::into),
                created_at: row.created_at,
                failures: row.failures.unsigned_abs(),
            })
        }))
    }

    /// Counts a failure, and has the work wait until `due`.
    pub async fn postpone(&self, id: Uuid, due: DateTime<Utc>) -> Result<(), StoreError> {
        in_time(
            sqlx::query!(
                "update due_work set failures = failures + 1, due_at = $2 where id = $1",
                id,
                due
            )
            .execute(&self.pool),
        )
        .await?;
        Ok(())
    }

    /// [`UnitOfWork::finish`], alone.
    pub async fn finish(&self, id: Uuid, entry: &Entry) -> Result<bool, StoreError> {
        in_time(async {
            let mut unit = self.begin().await?;
            let finished = unit.finish(id, entry).await?;
            unit.commit().await.map(|()| finished)
        })
        .await
    }
}

impl UnitOfWork {
    /// Ends work that was done, with its line of the trail. `false`: somebody else has, first.
    pub async fn finish(&mut self, id: Uuid, entry: &Entry) -> Result<bool, StoreError> {
        let finished = sqlx::query!(
            "update due_work set finished_at = $2 where id = $1 and finished_at is null",
            id,
            entry.at
        )
        .execute(self.connection())
        .await?
        .rows_affected();
        self.record_change(finished, entry).await
    }
}

/// The kinds' names in the database.
pub(super) fn names(kinds: &[WorkKind]) -> Vec<String> {
    kinds.iter().map(|kind| kind.name().to_owned()).collect()
}
