//! What has to be there before the archive is filled, and what makes it fast.

use std::time::Duration;

use mongodb::IndexModel;
use mongodb::bson::doc;
use mongodb::options::IndexOptions;
use tokio::time::sleep;

use super::{Archive, ArchiveError, READ_TIMEOUT, limited};
use crate::metrics;

/// Between two attempts while MongoDB is away.
const CHECK_AGAIN: Duration = Duration::from_millis(500);
/// Between two attempts to have indexes made: what MongoDB has against them lasts longer.
const INDEX_AGAIN: Duration = Duration::from_secs(10);

impl Archive {
    /// Checks the archive and has its indexes made, which takes as long as there are messages without
    /// them.
    pub async fn prepare(&self, generation: u16, partitions: usize) -> Result<(), ArchiveError> {
        self.check(generation, partitions).await?;
        self.create_indexes().await
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

    /// Has the indexes made, however often that fails. Without them pages are read slowly.
    pub async fn create_indexes_until_done(&self) {
        while let Err(error) = self.create_indexes().await {
            tracing::warn!(%error, "archive: indexes are not made");
            sleep(INDEX_AGAIN).await;
        }
    }

    /// Checks that the log is not one of before, and has as many partitions as when the archive was
    /// begun: with another count rooms would have moved between partitions.
    async fn check(&self, generation: u16, partitions: usize) -> Result<(), ArchiveError> {
        let count = i64::try_from(partitions).unwrap_or(i64::MAX);
        self.check_generations(generation, count).await?;
        let generation = doc! { "_id": i32::from(generation) };
        let first = doc! { "$setOnInsert": { "partitions": count } };
        let recorded = self.generations.find_one_and_update(generation, first).upsert(true);
        let recorded = limited(READ_TIMEOUT, recorded).await?;
        match recorded.and_then(|found| found.get_i64("partitions").ok()) {
            Some(recorded) if recorded != count => {
                Err(ArchiveError::PartitionsChanged { recorded, found: count })
            }
            _ => Ok(()),
        }
    }

    /// No limit in time: MongoDB builds an index of many messages for minutes, and would begin anew.
    async fn create_indexes(&self) -> Result<(), ArchiveError> {
        let named = |name: &str| IndexOptions::builder().name(name.to_owned()).build();
        let by_room = doc! { "room_id": 1, "pos": 1 };
        let by_time = doc! { "room_id": 1, "timestamp": 1, "pos": 1 };
        let indexes = [
            IndexModel::builder().keys(by_room).options(named("room_pos")).build(),
            IndexModel::builder().keys(by_time).options(named("room_timestamp")).build(),
        ];
        self.messages.create_indexes(indexes).await?;
        Ok(())
    }
}
