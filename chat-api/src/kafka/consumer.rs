//! Reading the log: all of it by manual assignment, or as a member of a group a share of it.

mod membership;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use rdkafka::consumer::{CommitMode, Consumer as _, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use tokio::time::Instant;

use super::log::ASK_TIMEOUT;
use super::reminder::Reminder;
use super::{DecodeError, Decoder, Log, LogError, Partitioner, Raw, Trace, reach};
use crate::message::{Decoded, Event, Newer, Partition, Position};
use membership::{Group, Member, note};

pub use membership::Change;

/// What a reader gets next.
#[derive(Debug)]
pub enum Item {
    /// A record, and the trace that it belongs to.
    Event(Event, Option<Trace>),
    /// A record that only a later release understands.
    Newer {
        /// The partition it stands in.
        partition: Partition,
        /// Its place in that partition.
        position: Position,
        /// What it calls itself.
        newer: Newer,
    },
    /// A record that cannot be read, as far as this reader keeps it, and why.
    Undecodable(Raw, DecodeError),
    /// The end of a partition was reached.
    End(Partition),
    /// A position that the log does not hold any more, or not yet. The client library does not tell
    /// of which partition; that one is not read on.
    OutOfRange,
    /// The broker is away or complains; the client library tries again by itself.
    Trouble(KafkaError),
}

/// What each of some partitions holds.
pub type Ranges = Vec<(Partition, Range)>;

/// The positions a partition holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// The position of the first record.
    pub start: Position,
    /// The position after that of the last record; the same as `start` if there is none.
    pub end: Position,
}

/// Reads every partition by manual assignment, without a group.
pub struct ManualConsumer {
    consumer: Arc<StreamConsumer<ManualContext>>,
    reminder: Reminder,
    log: Log,
    decoder: Decoder,
}

/// Reads the partitions that its group gives it.
pub struct GroupConsumer {
    consumer: Arc<Member>,
    reminder: Reminder,
    log: Log,
    decoder: Decoder,
}

pub(super) fn reader(log: &Log) -> ClientConfig {
    let mut config = log.client();
    config
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        // The default skips silently to the end.
        .set("auto.offset.reset", "error")
        // The default waits for transactions, in which nobody here writes: one that a stranger left open
        // would hold the partition back for everybody, until the broker ends it.
        .set("isolation.level", "read_uncommitted")
        // The default prefetches 64 MB.
        .set("queued.max.messages.kbytes", "8192")
        // The default looks a second later whether there is room again: until then what is there is used up.
        .set("fetch.queue.backoff.ms", "20");
    config
}

impl Log {
    /// How many partitions the topic with messages has. Blocks.
    pub fn partitioner(&self) -> Result<Partitioner, LogError> {
        self.partitions_of(&self.messages())
    }

    /// How many partitions a topic has. Blocks.
    pub fn partitions_of(&self, topic: &str) -> Result<Partitioner, LogError> {
        let metadata = reach::metadata(self, Some(topic))?;
        let found = metadata.topics().iter().find(|found| found.name() == topic);
        let count = found.map_or(0, |found| found.partitions().len());
        Partitioner::new(count).ok_or_else(|| LogError::NoTopic(topic.to_owned()))
    }
}

impl ManualConsumer {
    /// A reader of every partition, which starts where [`ManualConsumer::start`] says.
    pub fn new(log: &Log, decoder: Decoder) -> Result<Self, LogError> {
        // The client library wants a group's name before it reads; nothing joins or commits it.
        let group = format!("{}chat-fanout-by-hand", log.prefix);
        let consumer = reader(log).set("group.id", group).create_with_context(ManualContext)?;
        let reminder = Reminder::new(&log.brokers);
        Ok(Self { consumer: Arc::new(consumer), reminder, log: log.clone(), decoder })
    }

    /// What each partition holds.
    pub async fn ranges(&self) -> Result<Vec<(Partition, Range)>, LogError> {
        let (consumer, log) = (Arc::clone(&self.consumer), self.log.clone());
        let partitioner = self.decoder.partitioner();
        let asked = tokio::task::spawn_blocking(move || {
            let range = |partition| {
                Ok((partition, range(consumer.as_ref(), &log, &log.messages(), partition)?))
            };
            partitioner.all().map(range).collect()
        });
        asked.await.map_err(|_| LogError::Died)?
    }

    /// Reads from these positions on.
    pub fn start(&self, positions: &[(Partition, Position)]) -> Result<(), LogError> {
        Ok(self.consumer.assign(&list(&self.log.messages(), positions)?)?)
    }

    /// Waits for what comes next.
    pub async fn next(&self) -> Result<Item, LogError> {
        next(&self.consumer, &self.reminder, &self.log, self.decoder, Keep::Place).await
    }
}

impl GroupConsumer {
    /// Joins the group of the archive readers.
    pub fn join(log: &Log, decoder: Decoder) -> Result<Self, LogError> {
        let consumer: StreamConsumer<Group> = reader(log)
            .set("group.id", log.archive_group())
            .set("partition.assignment.strategy", "cooperative-sticky")
            // A killed member's partitions go to the others after this time.
            .set("session.timeout.ms", "10000")
            // Members hear of a change of their shares with their next heartbeat.
            .set("heartbeat.interval.ms", "1000")
            .create_with_context(Group::default())?;
        consumer.subscribe(&[&log.messages()])?;
        let consumer = Arc::new(Member::new(consumer));
        Ok(Self { consumer, reminder: Reminder::new(&log.brokers), log: log.clone(), decoder })
    }

    /// The generation that is read.
    #[must_use]
    pub fn generation(&self) -> u16 {
        self.log.generation
    }

    /// Waits for what comes next. Changes of the share come about while this is awaited.
    pub async fn next(&self) -> Result<Item, LogError> {
        next(&self.consumer, &self.reminder, &self.log, self.decoder, Keep::Record).await
    }

    /// Completes when there may be a new [`Change`].
    pub async fn changed(&self) {
        self.consumer.context().changed.notified().await;
    }

    /// The oldest change that was not answered, without taking it.
    #[must_use]
    pub fn change(&self) -> Option<Change> {
        self.consumer.context().lock().front().cloned()
    }

    /// What these partitions hold.
    pub fn ranges(
        &self,
        partitions: Vec<Partition>,
    ) -> impl Future<Output = Result<Ranges, LogError>> + Send + use<> {
        let (consumer, log) = (Arc::clone(&self.consumer), self.log.clone());
        let ask = move || {
            let range =
                |partition| Ok((partition, range(&**consumer, &log, &log.messages(), partition)?));
            partitions.into_iter().map(range).collect()
        };
        async move { tokio::task::spawn_blocking(ask).await.map_err(|_| LogError::Died)? }
    }

    /// Answers the oldest change: reads the new partitions from these positions on.
    pub fn start(&self, positions: &[(Partition, Position)]) -> Result<(), LogError> {
        self.consumer.context().lock().pop_front();
        Ok(self.consumer.incremental_assign(&list(&self.log.messages(), positions)?)?)
    }

    /// Answers the oldest change: lets these partitions go.
    pub fn give_up(&self, partitions: &[Partition]) -> Result<(), LogError> {
        self.consumer.context().lock().pop_front();
        let partitions = plain_list(&self.log.messages(), partitions.iter().copied());
        Ok(self.consumer.incremental_unassign(&partitions)?)
    }

    /// Reads a partition of the share from another position on, wherever and however it stands.
    pub fn restart(&self, partition: Partition, position: Position) -> Result<(), LogError> {
        // Not a seek: that is refused for a partition whose position was out of range.
        self.consumer.incremental_unassign(&plain_list(&self.log.messages(), [partition]))?;
        Ok(self
            .consumer
            .incremental_assign(&list(&self.log.messages(), &[(partition, position)])?)?)
    }

    /// Reads these partitions no further for now.
    pub fn pause(&self, partitions: impl IntoIterator<Item = Partition>) -> Result<(), LogError> {
        Ok(self.consumer.pause(&plain_list(&self.log.messages(), partitions))?)
    }

    /// Goes on with these partitions.
    pub fn resume(&self, partitions: impl IntoIterator<Item = Partition>) -> Result<(), LogError> {
        Ok(self.consumer.resume(&plain_list(&self.log.messages(), partitions))?)
    }

    /// Tells the group how far each partition is done. For people's tools only: progress itself is
    /// kept with the documents.
    pub fn commit(&self, done: &[(Partition, Position)]) -> Result<(), LogError> {
        let next: Vec<_> =
            done.iter().map(|(partition, position)| (*partition, position.next())).collect();
        Ok(self.consumer.commit(&list(&self.log.messages(), &next)?, CommitMode::Async)?)
    }
}

/// Leaves the group, however the reader ended. Blocks until the broker knows, or for 5 s.
impl Drop for GroupConsumer {
    fn drop(&mut self) {
        // From here on the group's callback answers; what it noted before must be answered now, or
        // the client library waits for it for ever.
        self.consumer.context().closing.store(true, Ordering::SeqCst);
        while let Some(change) = self.change() {
            let answered = match change {
                Change::Assigned(_) => self.start(&[]),
                Change::Revoked(partitions) => self.give_up(&partitions),
            };
            if let Err(error) = answered {
                tracing::warn!(%error, "archive reader leaves its group uncleanly");
            }
        }
    }
}

/// What a reader gets of a record that cannot be read.
#[derive(Clone, Copy)]
enum Keep {
    /// Its partition and position only.
    Place,
    /// The record itself; one that is too large without its value and headers.
    Record,
}

async fn next<C>(
    consumer: &StreamConsumer<C>,
    reminder: &Reminder,
    log: &Log,
    decoder: Decoder,
    keep: Keep,
) -> Result<Item, LogError>
where
    C: ConsumerContext + 'static,
{
    let received = loop {
        tokio::select! {
            // A client that gives records has a broker.
            biased;
            received = consumer.recv() => break received,
            () = reminder.due() => reminder.remind(consumer.client()),
        }
    };
    let mut record = match received {
        Ok(record) => record,
        Err(KafkaError::PartitionEOF(number)) => {
            return Ok(Item::End(Partition::from_number(number)?));
        }
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) => {
            return Ok(Item::OutOfRange);
        }
        Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error.into()),
        Err(error) => {
            reminder.note(&error, Instant::now());
            return Ok(Item::Trouble(error));
        }
    };
    let partition = Partition::from_number(record.partition())?;
    let position = log.position(record.offset())?;
    let trace = Trace::of(&mut record);
    Ok(match decoder.decode(record.key(), record.payload(), partition) {
        Ok(Decoded::Known(envelope)) => Item::Event(Event { partition, position, envelope }, trace),
        Ok(Decoded::Newer(newer)) => Item::Newer { partition, position, newer },
        Err(error) => {
            let raw = match keep {
                Keep::Place => Raw::bare(partition, position),
                Keep::Record => Raw::of(log, &mut record)?,
            };
            Item::Undecodable(raw, error)
        }
    })
}

pub(super) fn range<C, K>(
    consumer: &K,
    log: &Log,
    topic: &str,
    partition: Partition,
) -> Result<Range, LogError>
where
    C: ConsumerContext,
    K: rdkafka::consumer::Consumer<C>,
{
    let (low, high) = consumer.fetch_watermarks(topic, partition.number(), ASK_TIMEOUT)?;
    Ok(Range { start: log.position(low)?, end: log.position(high)? })
}

pub(super) fn list(
    topic: &str,
    positions: &[(Partition, Position)],
) -> Result<TopicPartitionList, LogError> {
    let mut list = TopicPartitionList::new();
    for (partition, position) in positions {
        list.add_partition_offset(topic, partition.number(), Offset::Offset(position.offset()))?;
    }
    Ok(list)
}

fn plain_list(topic: &str, partitions: impl IntoIterator<Item = Partition>) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for partition in partitions {
        list.add_partition(topic, partition.number());
    }
    list
}

pub(super) struct ManualContext;

impl ClientContext for ManualContext {
    fn error(&self, error: KafkaError, reason: &str) {
        note(&error, reason);
    }
}

impl ConsumerContext for ManualContext {}
