//! Which generations of the log the archive holds.

use mongodb::bson::{Document, doc};

use super::{Archive, ArchiveError, READ_TIMEOUT, limited};

impl Archive {
    /// Checks that the log is not of an older generation than what is stored, as it is after all its
    /// topics were lost, and that each generation had as many partitions: cursors tell the partition.
    pub(super) async fn check_generations(
        &self,
        found: u16,
        partitions: i64,
    ) -> Result<(), ArchiveError> {
        let newest = self.generations.find_one(doc! {}).sort(doc! { "_id": -1 });
        let Some(newest) = limited(READ_TIMEOUT, newest).await? else { return Ok(()) };
        let foreign = |_| ArchiveError::Foreign("generations");
        let recorded = newest.get_i32("_id").map_err(foreign)?;
        if recorded > i32::from(found) {
            return Err(ArchiveError::GenerationLost { recorded, found });
        }
        let other = doc! { "partitions": { "$ne": partitions } };
        let other: Option<Document> =
            limited(READ_TIMEOUT, self.generations.find_one(other)).await?;
        let Some(other) = other else { return Ok(()) };
        let recorded = other.get_i64("partitions").map_err(foreign)?;
        Err(ArchiveError::PartitionsChanged { recorded, found: partitions })
    }
}
