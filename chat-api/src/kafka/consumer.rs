//! Reading the log: all of it by manual assignment, or as a member of a group a share of it.

mod membership;
pub(super) mod reading;
mod share;

use std::ops::Deref;
use std::sync::Arc;

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;

use super::reminder::Reminder;
use super::{DecodeError, Decoder, Log, LogError, Partitioner, Raw, Trace, reach};
use crate::message::{Decoded, Event, Newer, Partition, Position};
use reading::{ManualContext, Received, list, range, reader, receive};

pub use membership::Change;
pub use reading::{Range, Ranges};
pub use share::Share;

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

/// Reads every partition by manual assignment, without a group.
pub struct ManualConsumer {
    consumer: Arc<StreamConsumer<ManualContext>>,
    reminder: Reminder,
    log: Log,
    decoder: Decoder,
}

/// Reads the partitions that its group gives it.
pub struct GroupConsumer {
    share: Share,
    decoder: Decoder,
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
        let received = receive(&self.consumer, &self.reminder, &self.log).await?;
        item(received, &self.log, self.decoder, Keep::Place)
    }
}

impl GroupConsumer {
    /// Joins the group of the archive readers.
    pub fn join(log: &Log, decoder: Decoder) -> Result<Self, LogError> {
        Ok(Self { share: Share::join(log, log.messages(), &log.archive_group())?, decoder })
    }

    /// Waits for what comes next. Changes of the share come about while this is awaited.
    pub async fn next(&self) -> Result<Item, LogError> {
        item(self.share.receive().await?, &self.share.log, self.decoder, Keep::Record)
    }
}

impl Deref for GroupConsumer {
    type Target = Share;

    fn deref(&self) -> &Share {
        &self.share
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

fn item(received: Received<'_>, log: &Log, decoder: Decoder, keep: Keep) -> Result<Item, LogError> {
    let (mut record, partition, position) = match received {
        Received::Record(record, partition, position) => (record, partition, position),
        Received::End(partition) => return Ok(Item::End(partition)),
        Received::OutOfRange => return Ok(Item::OutOfRange),
        Received::Trouble(error) => return Ok(Item::Trouble(error)),
    };
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
