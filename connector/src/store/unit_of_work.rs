//! Changes that are made together with their lines of the trail, or not at all.

use sqlx::{PgConnection, Postgres, Transaction};

use super::error::StoreError;
use super::step::to_the_end;
use super::{Store, audit};
use crate::audit::Entry;

/// Changes under way. Nothing of them is visible to others before [`commit`](Self::commit); dropped, all
/// is undone.
///
/// What changes an account takes the line that tells of it, and writes both: neither is ever there
/// alone. Changes that are told by several lines leave it to [`record`](Self::record).
#[derive(Debug)]
pub struct UnitOfWork {
    transaction: Transaction<'static, Postgres>,
}

impl Store {
    /// Begins changes.
    pub async fn begin(&self) -> Result<UnitOfWork, StoreError> {
        Ok(UnitOfWork { transaction: self.pool.begin().await? })
    }

    /// Makes changes that must not stay in doubt: waited for as long as for one statement like that. They
    /// may be made again when this fails, so each has to bear being made twice.
    pub async fn settle<T>(
        &self,
        changes: impl AsyncFnOnce(&mut UnitOfWork) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        to_the_end(async {
            let mut unit = self.begin().await?;
            let made = changes(&mut unit).await?;
            unit.commit().await.map(|()| made)
        })
        .await
    }
}

impl UnitOfWork {
    /// What statements are run on.
    pub(super) fn connection(&mut self) -> &mut PgConnection {
        &mut self.transaction
    }

    /// Adds a line to the trail, which becomes visible with what it tells.
    pub async fn record(&mut self, entry: &Entry) -> Result<(), StoreError> {
        Ok(audit::insert(self.connection(), entry).await?)
    }

    /// Adds the line of a change, if rows were changed, and tells whether they were.
    pub(super) async fn record_change(
        &mut self,
        rows: u64,
        entry: &Entry,
    ) -> Result<bool, StoreError> {
        if rows > 0 {
            self.record(entry).await?;
        }
        Ok(rows > 0)
    }

    /// Makes everything visible.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.transaction.commit().await.map_err(Into::into)
    }

    /// Undoes everything.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        self.transaction.rollback().await.map_err(Into::into)
    }
}
