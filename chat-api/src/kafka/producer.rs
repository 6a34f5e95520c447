//! Appending to the log.

use std::sync::Arc;
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio_util::sync::CancellationToken;

use super::{AppendError, GENERATION, Log, LogError, Partitioner, codec};
use crate::message::{Cursor, Envelope, Position};

/// Records waiting for their acknowledgement; the client library queues no more either.
const IN_FLIGHT: usize = 10_000;
/// And no more than 32 MB of them.
const QUEUED_KILOBYTES: &str = "32768";
/// A record is acknowledged or given up within this time.
const DELIVERY_TIMEOUT_MS: &str = "5000";
/// The report of a given-up record follows at the next turn of the client library's timers. This is
/// only the limit after which something is broken.
const REPORT_HANG: Duration = Duration::from_secs(10);

/// Appends envelopes, durably: acknowledged by all in-sync replicas, once per call.
pub struct Producer {
    inner: ThreadedProducer<Reports>,
    topic: String,
    partitioner: Partitioner,
    in_flight: Arc<Semaphore>,
    fatal: CancellationToken,
}

/// Where an acknowledged record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Absent in the rare case that the broker acknowledged a repeated batch without its offset.
    pub cursor: Option<Cursor>,
}

/// One record on its way. Dropping it gives its place in flight back.
struct Pending {
    report: oneshot::Sender<Result<Option<i64>, AppendError>>,
    _place: OwnedSemaphorePermit,
}

/// Carries delivery reports to those who wait for them.
struct Reports {
    fatal: CancellationToken,
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        tracing::warn!(%error, reason, "log producer");
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            self.fatal.cancel();
        }
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Box<Pending>) {
        let report = match result {
            Ok(record) => Ok(Some(record.offset()).filter(|offset| *offset >= 0)),
            Err((error, _)) => Err(AppendError::of_report(error)),
        };
        // Nobody waits any more when the caller went away.
        let _ = pending.report.send(report);
    }
}

impl Producer {
    /// A producer for the topic with messages. Connects in the background.
    pub fn new(log: &Log, partitioner: Partitioner) -> Result<Self, LogError> {
        let fatal = CancellationToken::new();
        let inner = log
            .client()
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT_MS)
            .set("queue.buffering.max.messages", IN_FLIGHT.to_string())
            .set("queue.buffering.max.kbytes", QUEUED_KILOBYTES)
            .set("compression.codec", "lz4")
            .create_with_context(Reports { fatal: fatal.clone() })?;
        let in_flight = Arc::new(Semaphore::new(IN_FLIGHT));
        Ok(Self { inner, topic: log.messages(), partitioner, in_flight, fatal })
    }

    /// Appends one envelope and waits for the log's word on it.
    pub async fn append(&self, envelope: &Envelope) -> Result<Appended, AppendError> {
        let place = Arc::clone(&self.in_flight).try_acquire_owned();
        let place = place.map_err(|_| AppendError::Overloaded)?;
        let (report, reported) = oneshot::channel();
        let partition = self.partitioner.of(&envelope.room_id);
        let value = codec::encode(envelope);
        let pending = Box::new(Pending { report, _place: place });
        let record = BaseRecord::with_opaque_to(&self.topic, pending)
            .partition(partition.number())
            .key(envelope.room_id.as_str())
            .payload(&value)
            .timestamp(envelope.timestamp.timestamp_millis());
        if let Err((error, _)) = self.inner.send(record) {
            return Err(AppendError::of_enqueue(&error));
        }

        let lost = AppendError::Unknown(RDKafkaErrorCode::MessageTimedOut);
        let report = tokio::time::timeout(REPORT_HANG, reported).await;
        let offset = report.map_err(|_| lost)?.map_err(|_| lost)??;
        let position = offset.and_then(|offset| Position::new(GENERATION, offset).ok());
        Ok(Appended { cursor: position.map(|position| Cursor { partition, position }) })
    }

    /// Waits until nothing is in flight. Blocks: not for an asynchronous thread.
    pub fn flush(&self, timeout: Duration) -> Result<(), LogError> {
        Ok(self.inner.flush(timeout)?)
    }

    /// Completes when the producer can never append again.
    pub async fn broken(&self) {
        self.fatal.cancelled().await;
    }
}
