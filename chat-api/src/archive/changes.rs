//! What was done to messages, a document each, as it happened.

pub(super) mod document;

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::options::{Hint, IndexOptions};
use mongodb::{Collection, Database, IndexModel};

use super::error::ArchiveError;
use super::insert::{self, Answers};
use super::mongo::{READ_TIMEOUT, WRITE_TIMEOUT, limited, number, safe};
use crate::message::{Kind, MessageId, RoomId};

/// The collection `changes`. A handle, cheap to clone.
#[derive(Clone)]
pub struct Changes(Collection<Document>);

/// The collection with changes, for whoever reads it with another client.
pub(super) fn collection(database: &Database) -> Collection<Document> {
    database.collection_with_options("changes", safe())
}

impl Changes {
    pub(super) fn of(database: &Database) -> Self {
        Self(collection(database))
    }

    /// Stores changes, whatever of them is held already.
    pub(super) async fn insert(
        &self,
        documents: &[RawDocumentBuf],
    ) -> Result<Answers, ArchiveError> {
        insert::insert(&self.0, documents).await
    }

    /// Where the changes of these ids stand, as far as they are held.
    pub(super) async fn places(
        &self,
        rooms: &[&RoomId],
        ids: &[MessageId],
    ) -> Result<HashMap<String, i64>, ArchiveError> {
        let find = self.0.find(by_id(rooms, ids)).hint(Hint::Keys(doc! { "_id": 1 }));
        let find = find.projection(doc! { "pos": 1 }).max_time(READ_TIMEOUT);
        let found = async move { find.await?.try_collect::<Vec<_>>().await };
        let found = limited(READ_TIMEOUT, found).await?;
        let place = |document: Document| {
            let id = document.get_str("_id").ok()?.to_owned();
            Some((id, number(document.get("pos")?)?))
        };
        Ok(found.into_iter().filter_map(place).collect())
    }

    /// Erases the texts that deleted messages of a room had.
    pub(super) async fn erase(
        &self,
        room: &RoomId,
        messages: &[MessageId],
    ) -> Result<(), ArchiveError> {
        let query = doc! {
            "room_id": room.as_str(),
            "type": Kind::Edit.name(),
            "ref": { "$in": texts(messages) },
            "content": { "$exists": true },
        };
        let erase = doc! { "$unset": { "content": "" } };
        limited(WRITE_TIMEOUT, self.0.update_many(query, erase)).await?;
        Ok(())
    }

    /// Forgets changes that will not be stored.
    pub(super) async fn forget(
        &self,
        rooms: &[&RoomId],
        ids: &[MessageId],
    ) -> Result<(), ArchiveError> {
        limited(WRITE_TIMEOUT, self.0.delete_many(by_id(rooms, ids))).await?;
        Ok(())
    }

    /// Has the indexes made.
    pub(super) async fn create_indexes(&self) -> Result<(), ArchiveError> {
        let named = |name: &str| IndexOptions::builder().name(name.to_owned());
        let by_room = IndexModel::builder().keys(doc! { "room_id": 1, "pos": 1 });
        // Only of texts: the versions of one message, which its history shows and its deletion erases.
        let of_texts = doc! { "type": Kind::Edit.name() };
        let by_message = IndexModel::builder().keys(doc! { "room_id": 1, "ref": 1, "pos": 1 });
        let of_texts = named("room_ref_edits").partial_filter_expression(of_texts).build();
        let indexes = [
            by_room.options(named("room_pos").build()).build(),
            by_message.options(of_texts).build(),
        ];
        self.0.create_indexes(indexes).await?;
        Ok(())
    }
}

fn by_id(rooms: &[&RoomId], ids: &[MessageId]) -> Document {
    let rooms: Vec<&str> = rooms.iter().map(|room| room.as_str()).collect();
    doc! { "room_id": { "$in": rooms }, "_id": { "$in": texts(ids) } }
}

fn texts(ids: &[MessageId]) -> Vec<String> {
    ids.iter().map(MessageId::to_string).collect()
}
