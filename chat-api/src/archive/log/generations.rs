//! Which generations of the log the archive holds.

use std::time::Duration;

use mongodb::bson::{Document, doc};
use mongodb::{Collection, Database};
use tokio::time::sleep;

use crate::archive::error::ArchiveError;
use crate::archive::mongo::{READ_TIMEOUT, limited, safe};
use crate::metrics;

/// Between two attempts while MongoDB is away.
const CHECK_AGAIN: Duration = Duration::from_millis(500);

/// The collection `generations`: how many partitions each of them has. A handle, cheap to clone.
#[derive(Clone)]
pub struct Generations(Collection<Document>);

impl Generations {
    pub(in crate::archive) fn of(database: &Database) -> Self {
        Self(database.collection_with_options("generations", safe()))
    }

    /// Checks the archive, however long MongoDB is away before.
    ///
    /// # Errors
    /// What does not pass: [`ArchiveError::is_final`].
    pub async fn check_until_answered(
        &self,
        generation: u16,
        partitions: usize,
    ) -> Result<(), ArchiveError> {
        loop {
            match self.check(generation, partitions).await {
                Ok(()) => return Ok(()),
                Err(error) if error.is_final() => return Err(error),
                Err(error) => {
                    tracing::warn!(%error, "archive: not there yet");
                    ::metrics::counter!(metrics::ARCHIVE_FAILURES).increment(1);
                }
            }
            sleep(CHECK_AGAIN).await;
        }
    }

    /// Checks that the log is not one of before, and has as many partitions as when the archive was
    /// begun: with another count rooms would have moved between partitions.
    pub(in crate::archive) async fn check(
        &self,
        generation: u16,
        partitions: usize,
    ) -> Result<(), ArchiveError> {
        let count = i64::try_from(partitions).unwrap_or(i64::MAX);
        self.check_recorded(generation, count).await?;
        let generation = doc! { "_id": i32::from(generation) };
        let first = doc! { "$setOnInsert": { "partitions": count } };
        let recorded = self.0.find_one_and_update(generation, first).upsert(true);
        let recorded = limited(READ_TIMEOUT, recorded).await?;
        match recorded.and_then(|found| found.get_i64("partitions").ok()) {
            Some(recorded) if recorded != count => {
                Err(ArchiveError::PartitionsChanged { recorded, found: count })
            }
            _ => Ok(()),
        }
    }

    /// Checks that the log is not of an older generation than what is stored, as it is after all its
    /// topics were lost, and that each generation had as many partitions: cursors tell the partition.
    async fn check_recorded(&self, found: u16, partitions: i64) -> Result<(), ArchiveError> {
        let newest = self.0.find_one(doc! {}).sort(doc! { "_id": -1 });
        let Some(newest) = limited(READ_TIMEOUT, newest).await? else { return Ok(()) };
        let foreign = |_| ArchiveError::Foreign("generations");
        let recorded = newest.get_i32("_id").map_err(foreign)?;
        if recorded > i32::from(found) {
            return Err(ArchiveError::GenerationLost { recorded, found });
        }
        let other = doc! { "partitions": { "$ne": partitions } };
        let other: Option<Document> = limited(READ_TIMEOUT, self.0.find_one(other)).await?;
        let Some(other) = other else { return Ok(()) };
        let recorded = other.get_i64("partitions").map_err(foreign)?;
        Err(ArchiveError::PartitionsChanged { recorded, found: partitions })
    }
}
