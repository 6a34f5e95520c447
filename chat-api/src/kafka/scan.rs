//! Reading a part of a topic once, for whoever wants to know what stands there.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::TopicPartitionList;
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::Message as _;
use tokio::time::{Instant, timeout_at};

use super::consumer::reading::{ManualContext, list, range, reader};
use super::{Log, LogError, Range, Raw};
use crate::message::{Partition, Position};

/// A broker that sends nothing for this long is taken to be away.
const SILENCE: Duration = Duration::from_secs(30);

/// Reads ranges of a topic, one after another, without a group.
pub struct Scan {
    consumer: Arc<StreamConsumer<ManualContext>>,
    log: Log,
    topic: String,
    reading: Option<(Partition, Range)>,
}

impl Scan {
    /// A reader of that topic.
    pub fn new(log: &Log, topic: String) -> Result<Self, LogError> {
        // The client library wants a group's name before it reads; nothing joins or commits it.
        let group = format!("{}chat-scan-by-hand", log.prefix);
        let consumer = reader(log).set("group.id", group).create_with_context(ManualContext)?;
        Ok(Self { consumer: Arc::new(consumer), log: log.clone(), topic, reading: None })
    }

    /// What a partition holds now.
    pub async fn range(&self, partition: Partition) -> Result<Range, LogError> {
        let (consumer, log) = (Arc::clone(&self.consumer), self.log.clone());
        let topic = self.topic.clone();
        let asked =
            tokio::task::spawn_blocking(move || range(consumer.as_ref(), &log, &topic, partition));
        asked.await.map_err(|_| LogError::Died)?
    }

    /// Reads this range next.
    pub fn begin(&mut self, partition: Partition, range: Range) -> Result<(), LogError> {
        self.reading = None;
        if range.start >= range.end {
            return Ok(self.consumer.assign(&TopicPartitionList::new())?);
        }
        self.consumer.assign(&list(&self.topic, &[(partition, range.start)])?)?;
        self.reading = Some((partition, range));
        Ok(())
    }

    /// The next record of the range; none at its end.
    pub async fn next(&mut self) -> Result<Option<Raw>, LogError> {
        let Some((partition, Range { end, .. })) = self.reading else { return Ok(None) };
        let deadline = Instant::now() + SILENCE;
        loop {
            let mut record = match timeout_at(deadline, self.consumer.recv()).await {
                Ok(Ok(record)) => record,
                // What follows the last record was a mark of the broker's own.
                Ok(Err(KafkaError::PartitionEOF(number))) if number == partition.number() => break,
                Ok(Err(KafkaError::PartitionEOF(_))) => continue,
                Ok(Err(error)) if is_final(&error) => return Err(error.into()),
                // The client library tries again by itself.
                Ok(Err(error)) => {
                    tracing::debug!(%error, topic = self.topic, "the log is in trouble");
                    continue;
                }
                Err(_) => {
                    let silent = RDKafkaErrorCode::OperationTimedOut;
                    return Err(KafkaError::MessageConsumption(silent).into());
                }
            };
            if record.partition() != partition.number() {
                continue;
            }
            let raw = Raw::of(&self.log, &mut record)?;
            if raw.position >= end {
                break;
            }
            if raw.position.next() == end {
                self.reading = None;
            }
            return Ok(Some(raw));
        }
        self.reading = None;
        Ok(None)
    }

    /// The record at this place, if there is one.
    pub async fn record(
        &mut self,
        partition: Partition,
        position: Position,
    ) -> Result<Option<Raw>, LogError> {
        self.begin(partition, Range { start: position, end: position.next() })?;
        self.next().await
    }
}

/// Whether trying again gives the same answer.
fn is_final(error: &KafkaError) -> bool {
    use RDKafkaErrorCode as Code;
    matches!(error, KafkaError::MessageConsumptionFatal(_))
        || matches!(
            error.rdkafka_error_code(),
            Some(
                Code::AutoOffsetReset
                    | Code::UnknownTopicOrPartition
                    | Code::UnknownTopic
                    | Code::UnknownPartition
                    | Code::TopicAuthorizationFailed
            )
        )
}
