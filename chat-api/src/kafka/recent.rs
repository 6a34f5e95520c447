//! Reading the topics that are kept for minutes: all partitions by hand, from a moment ago.
//!
//! A place that is not in the topic any more is none to worry about: it is read on from its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::{Offset, TopicPartitionList};
use tokio::time::Instant;

use super::consumer::reading::{ManualContext, reader};
use super::log::ASK_TIMEOUT;
use super::reminder::Reminder;
use super::{Log, LogError, ShortLived};
use crate::message::Partition;

/// Where the past of a topic ends: for each partition that has some, the offset after its last record.
type Past = BTreeMap<i32, i64>;

/// Reads the short-lived topics.
pub struct Recent {
    consumer: Arc<StreamConsumer<ManualContext>>,
    reminder: Reminder,
    log: Log,
}

/// What is read next.
#[derive(Debug)]
pub enum RecentItem {
    /// A record.
    Record(RecentRecord),
    /// The broker is away or complains; the client library tries again by itself.
    Trouble(KafkaError),
}

/// A record of a short-lived topic.
#[derive(Debug)]
pub struct RecentRecord {
    /// The topic.
    pub topic: ShortLived,
    /// Its partition and its offset there.
    pub place: (Partition, i64),
    /// Its key; empty if it has none.
    pub key: Vec<u8>,
    /// Its value; empty if it has none.
    pub value: Vec<u8>,
    /// When the broker took it, if it says so.
    pub taken_at: Option<DateTime<Utc>>,
}

/// What is to be read before the past of the presence topic is known.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Cold(Past);

impl Cold {
    /// Notes that a record was read; whether the past is known now.
    pub fn passed(&mut self, record: &RecentRecord) -> bool {
        let (partition, offset) = (record.place.0.number(), record.place.1);
        let ends = |end: &i64| *end <= offset + 1;
        if record.topic == ShortLived::Presence && self.0.get(&partition).is_some_and(ends) {
            self.0.remove(&partition);
        }
        self.is_over()
    }

    /// Whether all of the past is known.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.0.is_empty()
    }
}

impl Recent {
    /// A reader that begins when [`Recent::begin`] says so.
    pub fn new(log: &Log) -> Result<Self, LogError> {
        // The client library wants a group's name before it reads; nothing joins or commits it.
        let group = format!("{}chat-recent-by-hand", log.prefix);
        let consumer = reader(log)
            .set("group.id", group)
            .set("auto.offset.reset", "latest")
            .set("enable.partition.eof", "false")
            .create_with_context(ManualContext)?;
        let reminder = Reminder::new(&log.brokers);
        Ok(Self { consumer: Arc::new(consumer), reminder, log: log.clone() })
    }

    /// Reads who is online from that time on, and who is typing from now on. Says what of it is past.
    pub async fn begin(&self, since: DateTime<Utc>) -> Result<Cold, LogError> {
        let (consumer, log) = (Arc::clone(&self.consumer), self.log.clone());
        let begun = tokio::task::spawn_blocking(move || begin(&consumer, &log, since));
        begun.await.map_err(|_| LogError::Died)?
    }

    /// Waits for what comes next.
    pub async fn next(&self) -> Result<RecentItem, LogError> {
        let received = loop {
            tokio::select! {
                // A client that gives records has a broker.
                biased;
                received = self.consumer.recv() => break received,
                () = self.reminder.due() => self.reminder.remind(self.consumer.client()),
            }
        };
        let record = match received {
            Ok(record) => record,
            Err(error @ KafkaError::MessageConsumptionFatal(_)) => return Err(error.into()),
            Err(error) => {
                self.reminder.note(&error, Instant::now());
                return Ok(RecentItem::Trouble(error));
            }
        };
        let is_presence = record.topic() == self.log.presence();
        let bytes = |bytes: Option<&[u8]>| bytes.unwrap_or_default().to_vec();
        Ok(RecentItem::Record(RecentRecord {
            topic: if is_presence { ShortLived::Presence } else { ShortLived::Ephemeral },
            place: (Partition::from_number(record.partition())?, record.offset()),
            key: bytes(record.key()),
            value: bytes(record.payload()),
            taken_at: record.timestamp().to_millis().and_then(DateTime::from_timestamp_millis),
        }))
    }
}

fn begin(
    consumer: &StreamConsumer<ManualContext>,
    log: &Log,
    since: DateTime<Utc>,
) -> Result<Cold, LogError> {
    let since = Offset::Offset(since.timestamp_millis().max(0));
    let mut times = TopicPartitionList::new();
    for number in 0..count(consumer, &log.presence())? {
        times.add_partition_offset(&log.presence(), number, since)?;
    }
    let found = consumer.offsets_for_times(times, ASK_TIMEOUT)?;
    let (mut list, mut past) = (TopicPartitionList::new(), Past::new());
    for element in found.elements() {
        element.error()?;
        let (topic, number) = (element.topic(), element.partition());
        // A partition without a record since then is at its end.
        let start = match element.offset() {
            Offset::Offset(offset) => {
                let (_, end) = consumer.fetch_watermarks(topic, number, ASK_TIMEOUT)?;
                if offset < end {
                    past.insert(number, end);
                }
                Offset::Offset(offset)
            }
            _ => Offset::End,
        };
        list.add_partition_offset(topic, number, start)?;
    }
    for number in 0..count(consumer, &log.ephemeral())? {
        list.add_partition_offset(&log.ephemeral(), number, Offset::End)?;
    }
    consumer.assign(&list)?;
    Ok(Cold(past))
}

/// How many partitions a topic has.
fn count(consumer: &StreamConsumer<ManualContext>, topic: &str) -> Result<i32, LogError> {
    let metadata = consumer.fetch_metadata(Some(topic), ASK_TIMEOUT)?;
    let found = metadata.topics().iter().find(|found| found.name() == topic);
    let count = found.map_or(0, |found| found.partitions().len());
    let count = i32::try_from(count).ok().filter(|count| *count > 0);
    count.ok_or_else(|| LogError::NoTopic(topic.to_owned()))
}
