//! The archive in MongoDB: what was said, for as long as nobody deletes it.
//!
//! It is made of projections of the log, each with a collection of its own. Documents of [`Messages`] and
//! [`Changes`] carry the record's id as `_id`, which is the only unique index, so writing one again changes
//! nothing. What was done to a message stands among the changes as it happened, and is folded into the
//! message, which says up to where (`changed`). [`Rooms`] decides about proposals, once each; verdicts stand
//! among the changes.
//! [`People`] are no projection: they are made of what tokens say.
//! [`ProgressStore`] says per generation and partition up to where every record is held; it is written
//! after the documents, and only somebody who puts a backup back makes it fall.
//!
//! Whoever fills them has an [`Archive`]. Whoever reads is admitted by [`Reads`] and has two ways to read
//! a room: as it is now ([`History`]), and as it happened ([`Replay`]). People are looked for in the
//! [`Directory`].

mod changes;
mod directory;
mod document;
mod error;
mod history;
mod insert;
mod log;
mod messages;
mod mongo;
mod page;
mod people;
mod reach;
mod reads;
mod replay;
mod room_collections;
mod rooms;
mod store;

use std::time::Duration;

use secrecy::SecretString;

use room_collections::RoomCollections;

pub use changes::Changes;
pub use directory::{Directory, ListedPerson};
pub use error::{ArchiveError, ReadError};
pub use history::History;
pub use insert::RefusedDocument;
pub use log::generations::Generations;
pub use log::progress::{Progress, ProgressStore, Step};
pub use log::watch::Wait;
pub use messages::Messages;
pub use messages::stored::{ReactionCount, StoredMessage};
pub use page::{PAGE_BYTES, Page, Span, SpanEnd};
pub use people::{Noted, People};
pub use reach::{check_address, reach};
pub use reads::{ReadLimits, Reader, Reads};
pub use replay::{Replay, Replayed};
pub use rooms::{
    Behind, Finder, MarkerStore, Markers, Member, Members, MyRoom, MyRooms, RoomBatch,
    RoomSnapshots, Rooms,
};
pub use store::{Batch, Stored};

/// Connections for whoever fills the archive, unless the connection string says `maxPoolSize`: a batch,
/// progress, a look at it, and marks.
const CONNECTIONS: u32 = 10;
/// Between two attempts to have indexes made: what MongoDB has against them lasts longer than an outage.
const INDEX_AGAIN: Duration = Duration::from_secs(10);

/// The archive as it is filled, with a client of its own. A handle, cheap to clone.
#[derive(Clone)]
pub struct Archive {
    /// The messages, a document each.
    pub messages: Messages,
    /// What was done to them, a document each.
    pub changes: Changes,
    /// Rooms and memberships, and what was decided about them.
    pub rooms: Rooms,
    /// Up to where people have read rooms.
    pub markers: MarkerStore,
    /// Everybody who has shown a token.
    pub people: People,
    /// Up to where every record of a partition is held.
    pub progress: ProgressStore,
    /// The same of the topic with markers.
    pub marker_progress: ProgressStore,
    /// Which generations of the log are held.
    pub generations: Generations,
}

impl Archive {
    /// A handle to the database of a connection string. Connects in the background.
    pub async fn open(uri: &SecretString, database: &str) -> Result<Self, ArchiveError> {
        let (database, _) = reach::connect(uri, database, None, CONNECTIONS).await?;
        Ok(Self {
            messages: Messages::of(&database),
            changes: Changes::of(&database),
            rooms: Rooms::of(&database),
            markers: MarkerStore::of(RoomCollections::of(&database)),
            people: People::of(&database),
            generations: Generations::of(&database),
            marker_progress: ProgressStore::of_markers(database.clone()),
            progress: ProgressStore::of(database),
        })
    }

    /// Checks the archive and has its indexes made, which takes as long as there are messages without
    /// them.
    pub async fn prepare(&self, generation: u16, partitions: usize) -> Result<(), ArchiveError> {
        self.generations.check(generation, partitions).await?;
        self.create_indexes().await
    }

    /// Has the indexes made, however often that fails. Without them pages are read slowly.
    pub async fn create_indexes_until_done(&self) {
        while let Err(error) = self.create_indexes().await {
            tracing::warn!(%error, "archive: indexes are not made");
            tokio::time::sleep(INDEX_AGAIN).await;
        }
    }

    async fn create_indexes(&self) -> Result<(), ArchiveError> {
        self.messages.create_indexes().await?;
        self.changes.create_indexes().await?;
        self.rooms.create_index().await?;
        self.people.create_indexes().await
    }

    /// Stores a batch of events, whatever of it is held already.
    pub async fn store(&self, batch: &Batch) -> Result<Stored, ArchiveError> {
        store::store(&self.messages, &self.changes, &self.markers, batch).await
    }
}
