//! Who may read the archive, and how much at once.
//!
//! Reads have a client of their own, so that nothing that is read keeps the writer waiting, and no more
//! of them are under way than that client has connections. The driver keeps whoever waits for a
//! connection in a queue that it serves one at a time, callers that have gone included (mongodb 3.9.1,
//! `cmap/worker.rs`), and closes the connection of an operation that is dropped. So nobody waits there,
//! and no caller can drop an operation: it runs in a task of its own.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use governor::clock::MonotonicClock;
use mongodb::Collection;
use mongodb::bson::Document;
use secrecy::SecretString;
use tokio::sync::Semaphore;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::error::{ArchiveError, ReadError};
use super::log::progress;
use super::log::watch::{ProgressWatch, Wait};
use super::mongo::READ_TIMEOUT;
use super::room_collections::RoomCollections;
use super::{changes, messages, people, reach};
use crate::message::{Partition, Position, UserId};
use crate::metrics;
use crate::rate::{Rate, Rates};
use crate::visitor::Visitor;

/// Connections for reads, unless the operator or the connection string's `maxPoolSize` says otherwise: a
/// read takes a few milliseconds, so these serve some thousand a second.
const CONNECTIONS: u32 = 10;
/// How long a read waits for its turn. Whoever comes back in a second waits as long, and holds nothing.
const TURN: Duration = Duration::from_secs(1);
/// After this an operation is dropped, and its connection with it. The server gives up after
/// [`READ_TIMEOUT`] by itself; one that does not even say so is noticed by the driver in as long as this:
/// ten seconds between two heartbeats, and five for the answer.
const OPERATION_TIMEOUT: Duration = Duration::from_secs(15);
/// Between two looks at progress while somebody waits for it: as long as a batch waits for more. Progress
/// may come about on another replica, which tells nobody.
const LOOK_AGAIN: Duration = Duration::from_millis(50);
/// After a look that failed at once: each of them is logged.
const FAILED_AGAIN: Duration = Duration::from_millis(500);

/// How much may be read of the archive.
#[derive(Debug, Clone, Copy)]
pub struct ReadLimits {
    /// How often one person may read, or the guests of one network together.
    pub rate: Rate,
    /// Connections, and with them reads at once. Without it they are those of the connection string's
    /// `maxPoolSize`, or 10.
    pub connections: Option<NonZeroU32>,
}

/// The archive as people read it, bounded.
pub struct Reads {
    messages: Collection<Document>,
    changes: Collection<Document>,
    rooms: RoomCollections,
    progress: Collection<Document>,
    people: Collection<Document>,
    generation: u16,
    watch: ProgressWatch,
    rates: Rates<MonotonicClock, Visitor>,
    turns: Arc<Semaphore>,
    /// A stop does not wait for these: nobody is there any more who wants to know.
    operations: TaskTracker,
}

/// Somebody who may read, once: a page, a message, whatever it takes to answer one question.
pub struct Reader<'a> {
    reads: &'a Reads,
    visitor: Visitor,
}

impl Reads {
    /// Reads in the database of a connection string, of a log with that many partitions, no more than
    /// the limits let. Connects in the background.
    pub async fn open(
        uri: &SecretString,
        name: &str,
        generation: u16,
        partitions: usize,
        limits: ReadLimits,
    ) -> Result<Self, ArchiveError> {
        let ReadLimits { rate, connections } = limits;
        let (database, connections) = reach::connect(uri, name, connections, CONNECTIONS).await?;
        Ok(Self {
            messages: messages::collection(&database),
            changes: changes::collection(&database),
            rooms: RoomCollections::of(&database),
            progress: progress::collection(&database),
            people: people::collection(&database),
            generation,
            watch: ProgressWatch::new(partitions),
            rates: Rates::new(rate, MonotonicClock),
            turns: Arc::new(Semaphore::new(connections)),
            operations: TaskTracker::new(),
        })
    }

    /// Lets a person read once, unless that is too much in a short time.
    pub fn admit(&self, person: &UserId) -> Result<Reader<'_>, ReadError> {
        self.admit_visitor(&Visitor::Person(person.clone()))
    }

    /// Lets a person or a guest read once, unless that is too much in a short time.
    pub fn admit_visitor(&self, visitor: &Visitor) -> Result<Reader<'_>, ReadError> {
        if self.rates.admits(visitor) {
            return Ok(Reader { reads: self, visitor: visitor.clone() });
        }
        let why = match visitor {
            Visitor::Person(_) => metrics::PERSON,
            Visitor::Guest(_) => metrics::NETWORK,
        };
        ::metrics::counter!(metrics::READ_REFUSALS, "why" => why).increment(1);
        Err(ReadError::TooFast)
    }

    /// Looks at progress for as long as somebody waits for it, until it is stopped.
    pub async fn follow_progress(&self, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = self.look() => {}
            }
        }
    }

    async fn look(&self) {
        let partitions = self.watch.waited_for();
        if partitions.is_empty() {
            return self.watch.wanted().await;
        }
        let again = match self.progress_of(partitions).await {
            Ok(seen) => {
                self.watch.saw(seen);
                LOOK_AGAIN
            }
            Err(error) => {
                tracing::warn!(%error, "archive: progress cannot be read");
                FAILED_AGAIN
            }
        };
        sleep(again).await;
    }

    async fn progress_of(
        &self,
        partitions: Vec<Partition>,
    ) -> Result<Vec<(Partition, Position)>, ReadError> {
        let generation = self.generation;
        let found = progress::find(self.progress.clone(), generation, partitions.clone());
        let found = self.operate(found).await?;
        let of = |partition: Partition| {
            Ok((partition, progress::of(generation, partition, &found)?.position))
        };
        partitions.into_iter().map(of).collect()
    }

    /// Does one operation in its turn, and to its end whoever waits for it.
    async fn operate<T: Send + 'static>(
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
    /// Up to where every record of a partition is held.
    pub async fn progress(&self, partition: Partition) -> Result<Position, ReadError> {
        let seen = self.reads.progress_of(vec![partition]).await?;
        Ok(seen.first().map_or(Position::BEFORE_ALL, |(_, position)| *position))
    }

    /// Begins to wait for a partition's progress: from now on the archive is asked.
    #[must_use]
    pub fn wait(&self, partition: Partition) -> Wait {
        self.reads.watch.wait(partition)
    }

    pub(super) fn messages(&self) -> Collection<Document> {
        self.reads.messages.clone()
    }

    pub(super) fn changes(&self) -> Collection<Document> {
        self.reads.changes.clone()
    }

    pub(super) fn people(&self) -> Collection<Document> {
        self.reads.people.clone()
    }

    pub(super) fn rooms(&self) -> RoomCollections {
        self.reads.rooms.clone()
    }

    /// The documents with progress.
    pub(super) fn places(&self) -> Collection<Document> {
        self.reads.progress.clone()
    }

    /// The generation of the log that is read.
    pub(super) fn generation(&self) -> u16 {
        self.reads.generation
    }

    /// The person who was admitted; a guest is none.
    pub(super) fn person(&self) -> Option<&UserId> {
        self.visitor.person()
    }

    /// Does one operation in its turn, and to its end whoever waits for it.
    pub(super) async fn operate<T: Send + 'static>(
        &self,
        operation: impl IntoFuture<IntoFuture: Send, Output = mongodb::error::Result<T>>
        + Send
        + 'static,
    ) -> Result<T, ReadError> {
        self.reads.operate(operation).await
    }
}
