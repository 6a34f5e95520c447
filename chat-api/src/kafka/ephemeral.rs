//! Appending what may be lost: to the topics that are kept for minutes.
//!
//! Nobody waits for it. What the client library has no room for, or does not get rid of in time, is dropped
//! and counted.

use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::KafkaError;
use rdkafka::message::DeliveryResult;
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::reminder::Reminder;
use super::{Log, LogError, ShortLived};
use crate::metrics;

/// How long a record is of use: a snapshot comes after ten seconds, and a sign of typing is shown for six.
const DELIVERY_TIMEOUT_MS: &str = "3000";
/// What may wait for the broker: some seconds of what a replica tells, and no more than its people in one
/// snapshot, twice.
const QUEUE_RECORDS: &str = "5000";
const QUEUE_KIB: &str = "32768";
/// Both kinds wait a moment for others, so that one request takes them.
const LINGER_MS: &str = "5";

/// Appends what may be lost.
pub struct EphemeralProducer {
    client: ThreadedProducer<Reports>,
    log: Log,
}

/// Counts what became of each record.
struct Reports {
    reminder: Reminder,
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        self.reminder.note(&error, Instant::now());
        tracing::warn!(%error, reason, "producer of presence and typing");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<ShortLived>;

    fn delivery(&self, result: &DeliveryResult<'_>, topic: Box<ShortLived>) {
        match result {
            Ok(record) => {
                metrics::ephemeral_record(topic.label(), "written");
                metrics::ephemeral_bytes(topic.label(), metrics::OUT, record.payload_len());
            }
            Err((error, _)) => {
                tracing::debug!(%error, topic = topic.label(), "a record was not taken in time");
                metrics::ephemeral_record(topic.label(), "lost");
            }
        }
    }
}

impl EphemeralProducer {
    /// A producer for the short-lived topics of a log. Connects when the first record is offered.
    pub fn new(log: &Log) -> Result<Self, LogError> {
        let mut config = log.client();
        config
            .set("acks", "1")
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT_MS)
            .set("linger.ms", LINGER_MS)
            .set("queue.buffering.max.messages", QUEUE_RECORDS)
            .set("queue.buffering.max.kbytes", QUEUE_KIB)
            // A record that is repeated by the client library must not come after the next one.
            .set("max.in.flight.requests.per.connection", "1")
            .set("compression.codec", "lz4")
            // As the log's own partitions are chosen.
            .set("partitioner", "murmur2_random")
            // A topic that is not there is to be called so; the default waits for it first.
            .set("topic.metadata.propagation.max.ms", "1000");
        let reports = Reports { reminder: Reminder::new(&log.brokers) };
        Ok(Self { client: config.create_with_context(reports)?, log: log.clone() })
    }

    /// Hands a record over, unless there is no room for it. Whether it was.
    pub fn offer(&self, topic: ShortLived, key: &str, value: &[u8]) -> bool {
        let name = topic.name(&self.log);
        let record = BaseRecord::with_opaque_to(&name, Box::new(topic)).key(key).payload(value);
        let refused = self.client.send(record).err();
        if let Some((error, _)) = &refused {
            tracing::debug!(%error, topic = topic.label(), "a record is not taken");
            metrics::ephemeral_record(topic.label(), "refused");
        }
        refused.is_none()
    }

    /// Gives the client its first brokers again when it has lost all, until it is stopped.
    pub async fn look_after(&self, stop: CancellationToken) {
        let reminder = &self.client.context().reminder;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = reminder.due() => reminder.remind(self.client.client()),
            }
        }
    }

    /// Waits until nothing is under way, or for that long. Blocks: not for an asynchronous thread.
    pub fn flush(&self, timeout: Duration) {
        if let Err(error) = self.client.flush(timeout) {
            tracing::debug!(%error, "the last of presence and typing is given up");
        }
    }
}
