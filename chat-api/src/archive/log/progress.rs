//! Up to where the archive holds every record of a partition.

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::{Collection, Database};

use crate::archive::error::ArchiveError;
use crate::archive::mongo::{READ_TIMEOUT, WRITE_TIMEOUT, limited, number, safe};
use crate::message::{Partition, Position};

/// How far a partition is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Every record up to this position is held.
    pub position: Position,
    /// It was found outside the log. Nothing makes that good by itself: a log that grows past it was
    /// still not read.
    pub lost: bool,
}

/// A step of a partition's progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Step {
    /// The partition that goes forward.
    pub partition: Partition,
    /// The least that is stored: less means that the progress has fallen.
    pub from: Position,
    /// The progress to store.
    pub to: Position,
}

/// A collection with the progress of one topic's readers. A handle, cheap to clone.
#[derive(Clone)]
pub struct ProgressStore {
    database: Database,
    progress: Collection<Document>,
}

impl ProgressStore {
    /// That of the topic with messages.
    pub(in crate::archive) fn of(database: Database) -> Self {
        Self { progress: collection(&database), database }
    }

    /// That of the topic with markers.
    pub(in crate::archive) fn of_markers(database: Database) -> Self {
        let progress = database.collection_with_options("marker_progress", safe());
        Self { database, progress }
    }

    /// The progress of each of these partitions, in their order.
    pub async fn read(
        &self,
        generation: u16,
        partitions: &[Partition],
    ) -> Result<Vec<(Partition, Progress)>, ArchiveError> {
        let found = find(self.progress.clone(), generation, partitions.to_vec());
        let found = limited(READ_TIMEOUT, found).await?;
        let of = |partition: &Partition| Ok((*partition, of(generation, *partition, &found)?));
        partitions.iter().map(of).collect()
    }

    /// Notes that everything up to these positions is held. Never steps back. On
    /// [`ArchiveError::Fallen`] some of the partitions are not where they were left.
    pub async fn advance(&self, generation: u16, steps: &[Step]) -> Result<(), ArchiveError> {
        let updates = steps.iter().map(|Step { partition, from, to }| {
            doc! {
                "q": { "_id": id(generation, *partition), "pos": { "$gte": from.raw() } },
                "u": {
                    "$max": { "pos": to.raw() },
                    "$setOnInsert": { "g": i32::from(generation), "partition": partition.number() },
                },
                "upsert": from.is_before_generation(),
            }
        });
        // One command for all partitions; the driver has no such call for older servers.
        let command = doc! {
            "update": self.progress.name(),
            "updates": updates.collect::<Vec<_>>(),
            "writeConcern": { "w": "majority" },
        };
        let answer = limited(WRITE_TIMEOUT, self.database.run_command(command)).await?;
        if answer.contains_key("writeErrors") || answer.contains_key("writeConcernError") {
            return Err(ArchiveError::Progress);
        }
        let matched = answer.get("n").and_then(number).ok_or(ArchiveError::Progress)?;
        if usize::try_from(matched) == Ok(steps.len()) { Ok(()) } else { Err(ArchiveError::Fallen) }
    }

    /// Notes that the progress of a partition was found outside the log.
    pub async fn mark_lost(
        &self,
        generation: u16,
        partition: Partition,
    ) -> Result<(), ArchiveError> {
        let query = doc! { "_id": id(generation, partition) };
        let lost = doc! { "$set": { "lost": true } };
        limited(WRITE_TIMEOUT, self.progress.update_one(query, lost)).await?;
        Ok(())
    }

    /// Forgets the progress of partitions, so that they are read from the start of the log.
    pub async fn forget(
        &self,
        generation: u16,
        partitions: &[Partition],
    ) -> Result<(), ArchiveError> {
        let query = doc! { "_id": { "$in": ids(generation, partitions) } };
        limited(WRITE_TIMEOUT, self.progress.delete_many(query)).await?;
        Ok(())
    }
}

/// The collection with progress, for whoever reads it with another client.
pub(in crate::archive) fn collection(database: &Database) -> Collection<Document> {
    database.collection_with_options("progress", safe())
}

/// What is stored of the progress of these partitions.
pub(in crate::archive) async fn find(
    progress: Collection<Document>,
    generation: u16,
    partitions: Vec<Partition>,
) -> mongodb::error::Result<Vec<Document>> {
    let query = doc! { "_id": { "$in": ids(generation, &partitions) } };
    progress.find(query).max_time(READ_TIMEOUT).await?.try_collect().await
}

/// The progress of a partition, among what is stored.
pub(in crate::archive) fn of(
    generation: u16,
    partition: Partition,
    found: &[Document],
) -> Result<Progress, ArchiveError> {
    let id = id(generation, partition);
    let own = found.iter().find(|found| found.get_str("_id").is_ok_and(|of| of == id));
    let none = Progress { position: Position::before(generation), lost: false };
    own.map_or(Ok(none), read)
}

fn read(document: &Document) -> Result<Progress, ArchiveError> {
    let foreign = || ArchiveError::Foreign("progress");
    let raw = document.get_i64("pos").map_err(|_| foreign())?;
    let position = Position::from_raw(raw).map_err(|_| foreign())?;
    Ok(Progress { position, lost: document.get_bool("lost").unwrap_or(false) })
}

/// The id of the document of a partition.
pub(in crate::archive) fn id(generation: u16, partition: Partition) -> String {
    format!("g{generation}-p{partition}")
}

fn ids(generation: u16, partitions: &[Partition]) -> Vec<String> {
    partitions.iter().map(|partition| id(generation, *partition)).collect()
}
