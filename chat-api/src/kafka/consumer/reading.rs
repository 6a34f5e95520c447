//! What all readers of the log have in common: how they are set up, and what they get.

use rdkafka::consumer::{Consumer, ConsumerContext, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Message as _};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use tokio::time::Instant;

use super::membership::note;
use crate::kafka::log::ASK_TIMEOUT;
use crate::kafka::reminder::Reminder;
use crate::kafka::{Log, LogError};
use crate::message::{Partition, Position};

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

pub(in crate::kafka) fn reader(log: &Log) -> ClientConfig {
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

/// What came, before it is decoded.
pub(in crate::kafka) enum Received<'a> {
    /// A record, and its place.
    Record(BorrowedMessage<'a>, Partition, Position),
    /// The end of a partition was reached.
    End(Partition),
    /// A position that the log does not hold any more, or not yet.
    OutOfRange,
    /// The broker is away or complains.
    Trouble(KafkaError),
}

pub(in crate::kafka) async fn receive<'a, C>(
    consumer: &'a StreamConsumer<C>,
    reminder: &Reminder,
    log: &Log,
) -> Result<Received<'a>, LogError>
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
    match received {
        Ok(record) => {
            let partition = Partition::from_number(record.partition())?;
            let position = log.position(record.offset())?;
            Ok(Received::Record(record, partition, position))
        }
        Err(KafkaError::PartitionEOF(number)) => Ok(Received::End(Partition::from_number(number)?)),
        Err(error) if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AutoOffsetReset) => {
            Ok(Received::OutOfRange)
        }
        Err(error @ KafkaError::MessageConsumptionFatal(_)) => Err(error.into()),
        Err(error) => {
            reminder.note(&error, Instant::now());
            Ok(Received::Trouble(error))
        }
    }
}

pub(in crate::kafka) fn range<C, K>(
    consumer: &K,
    log: &Log,
    topic: &str,
    partition: Partition,
) -> Result<Range, LogError>
where
    C: ConsumerContext,
    K: Consumer<C>,
{
    let (low, high) = consumer.fetch_watermarks(topic, partition.number(), ASK_TIMEOUT)?;
    Ok(Range { start: log.position(low)?, end: log.position(high)? })
}

pub(in crate::kafka) fn list(
    topic: &str,
    positions: &[(Partition, Position)],
) -> Result<TopicPartitionList, LogError> {
    let mut list = TopicPartitionList::new();
    for (partition, position) in positions {
        list.add_partition_offset(topic, partition.number(), Offset::Offset(position.offset()))?;
    }
    Ok(list)
}

pub(in crate::kafka) struct ManualContext;

impl ClientContext for ManualContext {
    fn error(&self, error: KafkaError, reason: &str) {
        note(&error, reason);
    }
}

impl ConsumerContext for ManualContext {}
