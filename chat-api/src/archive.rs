//! The archive in MongoDB: what was said, for as long as nobody deletes it.
//!
//! Documents carry the message's id as `_id`, which is the only unique index, so writing one again
//! changes nothing. `progress` says per generation and partition up to where every record is held;
//! it is written after the documents, and only somebody who puts a backup back makes it fall.

mod batch;
mod document;
mod error;
mod progress;

use std::time::Duration;

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt as _;
use mongodb::bson::{self, Document, RawDocumentBuf, doc};
use mongodb::options::{
    ClientOptions, CollectionOptions, ConnectionString, IndexOptions, InsertManyOptions,
    ReadConcern, SelectionCriteria, WriteConcern,
};
use mongodb::{Client, Collection, Database, IndexModel};
use secrecy::{ExposeSecret as _, SecretString};

use crate::message::{Event, MessageId, Position, RoomId};

pub use batch::{Batch, Refusal, Stored};
pub use error::ArchiveError;
pub use progress::{Progress, Step};

/// A history read that takes longer than this is an outage to its caller.
const READ_TIMEOUT: Duration = Duration::from_secs(5);
/// A batch that takes longer than this is tried again; the server may have stopped in the middle.
const WRITE_TIMEOUT: Duration = Duration::from_secs(30);

/// A handle to the archive, cheap to clone.
#[derive(Clone)]
pub struct Archive {
    database: Database,
    messages: Collection<Document>,
    progress: Collection<Document>,
    generations: Collection<Document>,
}

/// Which part of a room's messages to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// Only later ones.
    pub after: Option<Position>,
    /// Only earlier ones.
    pub before: Option<Position>,
    /// From which end to take them.
    pub from: End,
    /// At most so many.
    pub limit: u16,
}

/// An end of a span.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// The latest messages of the span.
    Newest,
    /// The earliest messages of the span.
    Oldest,
}

impl Archive {
    /// A handle to the database of a connection string. Connects in the background.
    pub async fn open(uri: &SecretString, database: &str) -> Result<Self, ArchiveError> {
        let options = ClientOptions::parse(uri.expose_secret()).await;
        let mut options = options.map_err(|_| ArchiveError::Address)?;
        options.app_name.get_or_insert_with(|| "chat-api".to_owned());
        options.server_selection_timeout = Some(READ_TIMEOUT);
        options.connect_timeout = Some(READ_TIMEOUT);
        let database = Client::with_options(options)?.database(database);
        let safe = CollectionOptions::builder()
            .write_concern(WriteConcern::majority())
            .read_concern(ReadConcern::majority())
            .selection_criteria(SelectionCriteria::ReadPreference(
                mongodb::options::ReadPreference::Primary,
            ))
            .build();
        let messages = database.collection_with_options("messages", safe.clone());
        let progress = database.collection_with_options("progress", safe.clone());
        let generations = database.collection_with_options("generations", safe);
        Ok(Self { database, messages, progress, generations })
    }

    /// Checks a connection string as far as that is possible without a network.
    pub fn check_address(uri: &SecretString) -> Result<(), ArchiveError> {
        let known = ConnectionString::parse(uri.expose_secret());
        known.map(|_| ()).map_err(|_| ArchiveError::Address)
    }

    /// Creates the indexes, and checks that the log has as many partitions as when the archive was
    /// begun: with another count rooms would have moved between partitions.
    pub async fn prepare(&self, generation: u16, partitions: usize) -> Result<(), ArchiveError> {
        let named = |name: &str| IndexOptions::builder().name(name.to_owned()).build();
        let by_room = doc! { "room_id": 1, "pos": 1 };
        let by_time = doc! { "room_id": 1, "timestamp": 1, "pos": 1 };
        let indexes = [
            IndexModel::builder().keys(by_room).options(named("room_pos")).build(),
            IndexModel::builder().keys(by_time).options(named("room_timestamp")).build(),
        ];
        limited(READ_TIMEOUT, self.messages.create_indexes(indexes)).await?;

        let count = i64::try_from(partitions).unwrap_or(i64::MAX);
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

    /// Stores a batch, whatever of it is held already.
    pub async fn store(&self, batch: &Batch) -> Result<Stored, ArchiveError> {
        batch::divide(batch.len(), |part| self.insert(batch.part(part))).await
    }

    async fn insert(&self, documents: &[RawDocumentBuf]) -> Result<batch::Inserted, ArchiveError> {
        let options = InsertManyOptions::builder().ordered(false).build();
        let messages = self.messages.clone_with_type::<RawDocumentBuf>();
        let inserted = messages.insert_many(documents).with_options(options);
        match tokio::time::timeout(WRITE_TIMEOUT, inserted).await {
            Ok(Ok(_)) => {
                let stored = Stored { fresh: documents.len(), refused: Vec::new() };
                Ok(batch::Inserted::Each(stored))
            }
            Ok(Err(error)) => batch::sort(error, documents.len()),
            Err(_) => Err(ArchiveError::Timeout),
        }
    }

    /// The message of an id.
    pub async fn find(&self, id: MessageId) -> Result<Option<Event>, ArchiveError> {
        let query = doc! { "_id": id.to_string() };
        let found = limited(READ_TIMEOUT, self.messages.find_one(query)).await?;
        found.as_ref().map(document::to_event).transpose()
    }

    /// Where the first message of a room stands that has this timestamp or a later one.
    pub async fn since(
        &self,
        room: &RoomId,
        time: DateTime<Utc>,
    ) -> Result<Option<Position>, ArchiveError> {
        let time = bson::DateTime::from_millis(time.timestamp_millis());
        let query = doc! { "room_id": room.as_str(), "timestamp": { "$gte": time } };
        let first = self.messages.find_one(query).sort(doc! { "timestamp": 1, "pos": 1 });
        let first = limited(READ_TIMEOUT, first).await?;
        let event = first.as_ref().map(document::to_event).transpose()?;
        Ok(event.map(|event| event.position))
    }

    /// The messages of a span, oldest first.
    pub async fn read(&self, room: &RoomId, span: Span) -> Result<Vec<Event>, ArchiveError> {
        let mut position = Document::new();
        if let Some(after) = span.after {
            position.insert("$gt", after.raw());
        }
        if let Some(before) = span.before {
            position.insert("$lt", before.raw());
        }
        let mut query = doc! { "room_id": room.as_str() };
        if !position.is_empty() {
            query.insert("pos", position);
        }
        let direction = if span.from == End::Newest { -1 } else { 1 };
        let find =
            self.messages.find(query).sort(doc! { "pos": direction }).limit(i64::from(span.limit));
        let found: Vec<Document> = limited(READ_TIMEOUT, async {
            find.batch_size(u32::from(span.limit)).await?.try_collect().await
        })
        .await?;
        let events = found.iter().map(document::to_event);
        if span.from == End::Newest { events.rev().collect() } else { events.collect() }
    }
}

/// The driver has no deadline of its own for a server that stops answering.
async fn limited<T>(
    limit: Duration,
    question: impl IntoFuture<Output = mongodb::error::Result<T>>,
) -> Result<T, ArchiveError> {
    let answer = tokio::time::timeout(limit, question.into_future()).await;
    Ok(answer.map_err(|_| ArchiveError::Timeout)??)
}
