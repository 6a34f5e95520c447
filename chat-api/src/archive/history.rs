//! What people read of the archive.
//!
//! Reads have a client of their own, so that nothing that is read keeps the writer waiting, and no more
//! of them are under way than that client has connections. The driver keeps whoever waits for a
//! connection in a queue that it serves one at a time, callers that have gone included (mongodb 3.9.1,
//! `cmap/worker.rs`), and closes the connection of an operation that is dropped. So nobody waits there,
//! and no caller can drop an operation: it runs in a task of its own.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use governor::clock::MonotonicClock;
use mongodb::Collection;
use mongodb::bson::{Document, doc};
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::page::{Page, Span};
use super::since::Since;
use super::watch::ProgressWatch;
use super::{ArchiveError, READ_TIMEOUT, ReadError, connect, document, page, safe};
use crate::message::{Event, MessageId, Partition, Position, RoomId, UserId};
use crate::metrics;
use crate::rate::{Rate, Rates};

/// Connections for reads, unless the connection string says `maxPoolSize`: a read takes a few
/// milliseconds, so these serve some thousand a second.
const CONNECTIONS: u32 = 10;
/// How long a read waits for its turn. Whoever comes back in a second waits as long, and holds nothing.
const TURN: Duration = Duration::from_secs(1);
/// After this an operation is dropped, and its connection with it. The server gives up after
/// [`READ_TIMEOUT`] by itself; one that does not even say so is noticed by the driver in as long as this:
/// ten seconds between two heartbeats, and five for the answer.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);

/// The archive as people read it.
pub struct History {
    messages: Collection<Document>,
    pub(super) progress: Collection<Document>,
    pub(super) watch: ProgressWatch,
    rates: Rates<MonotonicClock>,
    turns: Arc<Semaphore>,
    /// A stop does not wait for these: nobody is there any more who wants to know.
    operations: TaskTracker,
}

/// Somebody who may read, once: a page, a message, whatever it takes to answer one question.
pub struct Reader<'a>(&'a History);

impl History {
    /// The history in the database of a connection string, of a log with that many partitions, each
    /// person reading no faster than that. Connects in the background.
    pub async fn open(
        uri: &SecretString,
        name: &str,
        generation: u16,
        partitions: usize,
        rate: Rate,
    ) -> Result<Self, ArchiveError> {
        let (database, connections) = connect(uri, name, CONNECTIONS).await?;
        Ok(Self {
            messages: database.collection_with_options("messages", safe()),
            progress: database.collection_with_options("progress", safe()),
            watch: ProgressWatch::new(generation, partitions),
            rates: Rates::new(rate, MonotonicClock),
            turns: Arc::new(Semaphore::new(connections)),
            operations: TaskTracker::new(),
        })
    }

    /// Lets a person read once, unless that is too much in a short time.
    pub fn admit(&self, person: &UserId) -> Result<Reader<'_>, ReadError> {
        if self.rates.admits(person) {
            return Ok(Reader(self));
        }
        ::metrics::counter!(metrics::READ_REFUSALS, "why" => metrics::PERSON).increment(1);
        Err(ReadError::TooFast)
    }

    /// Does one operation in its turn, and to its end whoever waits for it.
    pub(super) async fn operate<T: Send + 'static>(
        &self,
        operation: impl IntoFuture<IntoFuture: Send, Output = mongodb::error::Result<T>>
        + Send
        + 'static,
    ) -> Result<T, ReadError> {
        let turn = timeout(TURN, Arc::clone(&self.turns).acquire_owned()).await;
        // The semaphore is never closed.
        let Ok(Ok(turn)) = turn else {
            ::metrics::counter!(metrics::READ_REFUSALS, "why" => metrics::BUSY).increment(1);
            return Err(ReadError::Busy);
        };
        let operation = self.operations.spawn(async move {
            let answer = timeout(OPERATION_TIMEOUT, operation.into_future()).await;
            drop(turn);
            answer
        });
        let ended = timeout(READ_TIMEOUT, operation).await.map_err(|_| ArchiveError::Timeout)?;
        let answer = ended.map_err(|_| ArchiveError::Died)?.map_err(|_| ArchiveError::Timeout)?;
        Ok(answer.map_err(ArchiveError::from)?)
    }
}

impl Reader<'_> {
    pub(super) fn history(&self) -> &History {
        self.0
    }

    /// Up to where every record of a partition is held.
    pub async fn progress(&self, partition: Partition) -> Result<Position, ReadError> {
        let seen = self.0.progress_of(vec![partition]).await?;
        Ok(seen.first().map_or(Position::BEFORE_ALL, |(_, position)| *position))
    }

    /// The message of an id.
    pub async fn find(&self, id: MessageId) -> Result<Option<Event>, ReadError> {
        let messages = self.0.messages.clone();
        let found = async move {
            messages.find_one(doc! { "_id": id.to_string() }).max_time(READ_TIMEOUT).await
        };
        let found = self.0.operate(found).await?;
        Ok(found.as_ref().and_then(document::readable))
    }

    /// The first place of a room whose stamp is `time` or later, in its full precision. A stamp that is
    /// later than the log's own clock by more than five minutes is not trusted: by what follows it in
    /// the log or, at its end, by what it is `now`.
    pub async fn since(
        &self,
        room: &RoomId,
        time: DateTime<Utc>,
        now: DateTime<Utc>,
    ) -> Result<Option<Position>, ReadError> {
        // Stamps are in milliseconds: a time between two of them is before the later one.
        let between = !time.timestamp_subsec_nanos().is_multiple_of(1_000_000);
        let since = Since {
            messages: self.0.messages.clone(),
            room: room.clone(),
            time: time.timestamp_millis() + i64::from(between),
            now: now.timestamp_millis(),
        };
        let position = self.0.operate(since.find()).await?;
        let position = position.map(Position::from_raw).transpose();
        Ok(position.map_err(|_| ArchiveError::Foreign("messages"))?)
    }

    /// A page of the messages of a span.
    pub async fn page(&self, room: &RoomId, span: Span) -> Result<Page, ReadError> {
        let messages = self.0.messages.clone_with_type();
        let found = self.0.operate(page::read(messages, room.clone(), span)).await?;
        Ok(found.page(span.from))
    }
}
