//! Reading the topic with markers: all of it from its end on, or as a member of a group a share of it.

use std::sync::Arc;

use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;

use super::consumer::Share;
use super::consumer::reading::{ManualContext, Received, list, range, reader, receive};
use super::reminder::Reminder;
use super::{Log, LogError, Partitioner};
use crate::message::{DecodedMarker, Marker, MarkerError, Partition, Position};

/// What a reader of markers gets next.
#[derive(Debug)]
pub enum MarkerItem {
    /// A record, where it stands, and what it says.
    Record(Partition, Position, Result<DecodedMarker, MarkerError>),
    /// A position that the topic does not hold any more, or not yet.
    OutOfRange,
    /// The broker is away or complains; the client library tries again by itself.
    Trouble(KafkaError),
}

/// Reads every partition of the topic from its end on, without a group.
pub struct MarkerTail {
    consumer: Arc<StreamConsumer<ManualContext>>,
    reminder: Reminder,
    log: Log,
    partitioner: Partitioner,
}

/// Reads the partitions that its group gives it.
pub struct MarkerShare(Share);

/// The log as its topic with markers sees it, which has no generations.
fn of_markers(log: &Log) -> Log {
    Log { generation: 0, ..log.clone() }
}

impl MarkerTail {
    /// A reader of what comes from now on. Blocks until it is known where that is.
    pub fn new(log: &Log) -> Result<Self, LogError> {
        let log = of_markers(log);
        let partitioner = log.partitions_of(&log.markers())?;
        // The client library wants a group's name before it reads; nothing joins or commits it.
        let group = format!("{}chat-markers-by-hand", log.prefix);
        let consumer = reader(&log).set("group.id", group).create_with_context(ManualContext)?;
        let reminder = Reminder::new(&log.brokers);
        let tail = Self { consumer: Arc::new(consumer), reminder, log, partitioner };
        let ends = tail.ends()?;
        tail.start(&ends)?;
        Ok(tail)
    }

    /// Which partition a key is in.
    #[must_use]
    pub fn partitioner(&self) -> Partitioner {
        self.partitioner
    }

    /// Where each partition ends. Blocks.
    fn ends(&self) -> Result<Vec<(Partition, Position)>, LogError> {
        let topic = self.log.markers();
        let end = |partition| {
            let range = range(self.consumer.as_ref(), &self.log, &topic, partition)?;
            Ok((partition, range.end))
        };
        self.partitioner.all().map(end).collect()
    }

    fn start(&self, positions: &[(Partition, Position)]) -> Result<(), LogError> {
        Ok(self.consumer.assign(&list(&self.log.markers(), positions)?)?)
    }

    /// Goes on from the end, wherever that is now: what is missed is told by whoever is asked.
    pub async fn restart(self: &Arc<Self>) -> Result<(), LogError> {
        let tail = Arc::clone(self);
        let ends = tokio::task::spawn_blocking(move || tail.ends()).await;
        self.start(&ends.map_err(|_| LogError::Died)??)
    }

    /// Waits for what comes next.
    pub async fn next(&self) -> Result<MarkerItem, LogError> {
        loop {
            let received = receive(&self.consumer, &self.reminder, &self.log).await?;
            if let Some(item) = item(&received) {
                return Ok(item);
            }
        }
    }
}

impl MarkerShare {
    /// Joins the group of those who store markers.
    pub fn join(log: &Log) -> Result<Self, LogError> {
        let log = of_markers(log);
        Ok(Self(Share::join(&log, log.markers(), &log.marker_group())?))
    }

    /// The partitions that came with it.
    #[must_use]
    pub fn share(&self) -> &Share {
        &self.0
    }

    /// Waits for what comes next. Changes of the share come about while this is awaited.
    pub async fn next(&self) -> Result<MarkerItem, LogError> {
        loop {
            let received = self.0.receive().await?;
            if let Some(item) = item(&received) {
                return Ok(item);
            }
        }
    }
}

fn item(received: &Received<'_>) -> Option<MarkerItem> {
    match received {
        Received::Record(record, partition, position) => {
            let marker = Marker::decode(record.key(), record.payload());
            Some(MarkerItem::Record(*partition, *position, marker))
        }
        Received::End(_) => None,
        Received::OutOfRange => Some(MarkerItem::OutOfRange),
        Received::Trouble(error) => Some(MarkerItem::Trouble(error.clone())),
    }
}
