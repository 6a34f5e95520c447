//! Rooms and memberships, as the log decides about them.
//!
//! Of each room the collection `rooms` says what it is and which of its proposals was decided about last
//! (`pos`). `members` has a document for whoever was ever in it or kept out of it, with the place of that,
//! and `rooms_of` one for whoever is in it, by person. Verdicts stand in `changes`, those of void proposals
//! too.
//!
//! All of a room and a batch is one transaction. So whatever ends this program, a proposal is decided about
//! once: never again if it lies at or below the room's `pos`, or if its id stands in `changes`. Documents
//! are found by `_id` alone, but for public rooms, which have an index of their names ([`Finder`]).
//!
//! `markers` says up to where each person has read a room ([`MarkerStore`]). It is filled out of a topic of its
//! own and, for who says something, with their messages.

mod batch;
mod document;
mod finder;
mod kept;
mod markers;
mod members;
mod mine;
mod snapshot;
mod transaction;
mod unread;

use std::sync::Arc;

use futures_util::future::try_join_all;
use mongodb::Database;
use tokio::sync::OnceCell;

use super::error::ArchiveError;
use super::insert::RefusedDocument;
use super::room_collections::RoomCollections;
pub use batch::RoomBatch;
pub use finder::Finder;
pub use markers::{MarkerStore, Markers};
pub use members::{Member, Members};
pub use mine::{Behind, MyRoom, MyRooms};
pub use snapshot::RoomSnapshots;
use transaction::Transaction;

/// Rooms that are decided about at once: each needs a connection, of which there are ten.
const ROOMS_AT_ONCE: usize = 4;

/// The collections of rooms. A handle, cheap to clone.
#[derive(Clone)]
pub struct Rooms {
    collections: RoomCollections,
    /// Set when the collections are there.
    made: Arc<OnceCell<()>>,
}

impl Rooms {
    pub(super) fn of(database: &Database) -> Self {
        Self { collections: RoomCollections::of(database), made: Arc::default() }
    }

    /// Makes the index by which rooms are found.
    pub(super) async fn create_index(&self) -> Result<(), ArchiveError> {
        finder::create_index(&self.collections.rooms).await
    }

    /// Decides about a batch of proposals, whatever of it was decided about already. Of each room of which
    /// the server will not take what came of it, the first proposal is named: nothing of that room was
    /// stored.
    pub async fn store(&self, batch: &RoomBatch) -> Result<Vec<RefusedDocument>, ArchiveError> {
        if batch.is_empty() {
            return Ok(Vec::new());
        }
        let Self { collections, made } = self;
        made.get_or_try_init(|| collections.make()).await?;
        let transaction = |(room, proposals)| Transaction { collections, room, proposals };
        let transactions: Vec<_> = batch.rooms().into_iter().map(transaction).collect();
        let mut refused = Vec::new();
        for some in transactions.chunks(ROOMS_AT_ONCE) {
            let decided = try_join_all(some.iter().map(Transaction::run)).await?;
            refused.extend(decided.into_iter().flatten());
        }
        Ok(refused)
    }
}
