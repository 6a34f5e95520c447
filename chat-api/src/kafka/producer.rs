//! Appending to the log.

use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ::metrics::Histogram;
use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{
    BaseRecord, Producer as _, ProducerContext, PurgeConfig, ThreadedProducer,
};
use rdkafka::{ClientConfig, ClientContext};
use service_process::metrics::OutcomeCounter;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::breaker::Outcome;
use super::gate::Gate;
use super::in_flight::{Bounds, InFlight, Permit};
use super::reminder::Reminder;
use super::{AppendError, Log, LogError, Partitioner, codec, trace};
use crate::message::{Cursor, Envelope, NewMarker, Partition};
use crate::metrics;

/// A record is acknowledged or given up within 5 s: the client library looks once a second for
/// records whose time has passed.
const DELIVERY_TIMEOUT_MS: &str = "4000";
/// The report of a record comes in the time above, unless a thread of the client library is held up: the
/// one that looks for records whose time has passed is also the one that resolves the broker's name, for as
/// long as the resolver takes. Nothing else ends an append then, nor if the thread that brings reports died.
const REPORT_HANG: Duration = Duration::from_secs(10);
/// What a client that failed may take to end what it has under way.
const LAST_REPORTS: Duration = Duration::from_secs(5);
/// Between two probes of a partition whose appends are refused.
const PROBE_EVERY: Duration = Duration::from_secs(1);
/// How long the leader of a partition may take to answer a probe.
const PROBE_TIMEOUT: Duration = Duration::from_secs(1);

type Client = ThreadedProducer<Reports>;
type OutgoingRecord<'a> = BaseRecord<'a, str, [u8], Box<Pending>>;

/// Where records go.
struct Target {
    topic: String,
    /// What the topic is called in metrics.
    label: &'static str,
    partitioner: Partitioner,
}

/// A record that is to be appended.
struct Outgoing<'a> {
    partition: Partition,
    key: &'a str,
    value: Vec<u8>,
    timestamp: DateTime<Utc>,
}

/// Appends to one topic, durably: acknowledged by all in-sync replicas, once per call.
pub struct Producer {
    config: ClientConfig,
    log: Log,
    topic: String,
    partitioner: Partitioner,
    /// What this replica calls itself in the records it appends.
    origin: Option<String>,
    /// The client that takes records now; another one after that one failed for good.
    client: Mutex<Arc<Client>>,
    in_flight: InFlight,
    gate: Arc<Gate>,
    reminder: Arc<Reminder>,
    appends: OutcomeCounter,
}

/// Where an acknowledged record stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Appended {
    /// Absent in the rare case that the broker acknowledged a repeated batch without its offset.
    pub cursor: Option<Cursor>,
}

/// One record on its way.
struct Pending {
    partition: Partition,
    admitted: Instant,
    report: oneshot::Sender<Result<Option<i64>, AppendError>>,
    permit: Permit,
}

/// Carries delivery reports to those who wait for them, and to the partition's breaker.
struct Reports {
    gate: Arc<Gate>,
    reminder: Arc<Reminder>,
    /// The client has failed for good. What it did not send tells nothing about a partition.
    failed: AtomicBool,
    append_seconds: Histogram,
}

impl ClientContext for Reports {
    fn error(&self, error: KafkaError, reason: &str) {
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::Fatal) {
            // The thread that brings the error also brings the reports that come after it.
            self.failed.store(true, Ordering::Relaxed);
        }
        self.reminder.note(&error, Instant::now());
        tracing::warn!(%error, reason, "log producer");
    }
}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<Pending>;

    fn delivery(&self, result: &DeliveryResult<'_>, pending: Box<Pending>) {
        let report = match result {
            Ok(record) => Ok(Some(record.offset()).filter(|offset| *offset >= 0)),
            Err((error, record)) => {
                Err(AppendError::of_report(error, kafka_native::persisted(record)))
            }
        };
        let outcome = match report {
            Ok(_) => Outcome::Answered,
            Err(_) if self.failed.load(Ordering::Relaxed) => Outcome::Unclear,
            Err(error) => error.outcome(),
        };
        let Pending { partition, admitted, report: waiting, permit } = *pending;
        // Here and not where the report is waited for: the caller may be gone.
        self.gate.ended(partition, admitted, outcome, Instant::now());
        if report.is_ok() {
            self.append_seconds.record(admitted.elapsed().as_secs_f64());
        }
        drop(permit);
        let _ = waiting.send(report);
    }
}

impl Producer {
    /// A producer for the topic with messages. Connects in the background. `origin` is the name of
    /// this replica, if it has one.
    pub fn new(
        log: &Log,
        partitioner: Partitioner,
        bounds: Bounds,
        origin: Option<String>,
    ) -> Result<Self, LogError> {
        let target = Target { topic: log.messages(), label: metrics::MESSAGES, partitioner };
        Self::into_topic(log, target, bounds, origin)
    }

    /// The same for the topic with markers, with bounds of its own: however many people read, nobody who
    /// says something waits for that.
    pub fn of_markers(
        log: &Log,
        partitioner: Partitioner,
        bounds: Bounds,
        origin: Option<String>,
    ) -> Result<Self, LogError> {
        let target = Target { topic: log.markers(), label: metrics::MARKERS, partitioner };
        Self::into_topic(log, target, bounds, origin)
    }

    fn into_topic(
        log: &Log,
        Target { topic, label, partitioner }: Target,
        bounds: Bounds,
        origin: Option<String>,
    ) -> Result<Self, LogError> {
        let mut config = log.client();
        config
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            .set("delivery.timeout.ms", DELIVERY_TIMEOUT_MS)
            .set("queue.buffering.max.messages", bounds.messages.to_string())
            .set("queue.buffering.max.kbytes", bounds.bytes.div_ceil(1024).to_string())
            .set("compression.codec", "lz4");
        let gate = Arc::new(Gate::new(label, partitioner.all(), Instant::now()));
        let reminder = Arc::new(Reminder::new(&log.brokers));
        let client = connect(&config, &gate, &reminder)?;
        Ok(Self {
            config,
            log: log.clone(),
            topic,
            partitioner,
            origin,
            client: Mutex::new(client),
            in_flight: InFlight::new(bounds),
            gate,
            reminder,
            appends: metrics::appends(),
        })
    }

    /// Appends one envelope to the partition of its room, as a part of the current span's trace, and
    /// waits for the log's word on it. Hands it over before it waits for anything, so that appends called
    /// one after another stand in that order.
    pub async fn append(
        &self,
        partition: Partition,
        envelope: &Envelope,
    ) -> Result<Appended, AppendError> {
        let (key, timestamp) = (envelope.room_id.as_str(), envelope.timestamp);
        let value = codec::encode(envelope);
        let offset = self.append_record(Outgoing { partition, key, value, timestamp }).await?;
        let position = offset.and_then(|offset| self.log.position(offset).ok());
        Ok(Appended { cursor: position.map(|position| Cursor { partition, position }) })
    }

    /// Appends a marker to the partition of its key, likewise.
    pub async fn append_marker(&self, new: &NewMarker) -> Result<(), AppendError> {
        let (key, value, timestamp) = (new.marker.key(), new.encode(), new.timestamp);
        let partition = self.partitioner.of_key(&key);
        self.append_record(Outgoing { partition, key: &key, value, timestamp }).await?;
        Ok(())
    }

    async fn append_record(&self, outgoing: Outgoing<'_>) -> Result<Option<i64>, AppendError> {
        let appended = self.hand_over_and_wait(outgoing).await;
        self.appends.count(appended.map_or_else(AppendError::class, |_| "appended"));
        appended
    }

    async fn hand_over_and_wait(
        &self,
        Outgoing { partition, key, value, timestamp }: Outgoing<'_>,
    ) -> Result<Option<i64>, AppendError> {
        let permit = self.in_flight.take(key.len() + value.len()).ok_or(AppendError::Overloaded)?;
        let admitted = Instant::now();
        if !self.gate.admit(partition, admitted) {
            return Err(AppendError::Unavailable);
        }
        let (report, reported) = oneshot::channel();
        let pending = Box::new(Pending { partition, admitted, report, permit });
        let mut record = BaseRecord::with_opaque_to(&self.topic, pending)
            .partition(partition.number())
            .key(key)
            .payload(value.as_slice())
            .timestamp(timestamp.timestamp_millis());
        record.headers = trace::headers(self.origin.as_deref());
        self.hand_over(record).inspect_err(|_| {
            self.gate.ended(partition, admitted, Outcome::Unclear, Instant::now());
        })?;

        let lost = AppendError::Unknown(RDKafkaErrorCode::MessageTimedOut);
        let report = timeout(REPORT_HANG, reported).await;
        report.map_err(|_| lost)?.map_err(|_| lost)?
    }

    /// Gives a record to the client, or to its successor if it has failed for good.
    fn hand_over(&self, record: OutgoingRecord<'_>) -> Result<(), AppendError> {
        let client = self.client();
        let (error, record) = match client.send(record) {
            Ok(()) => return Ok(()),
            Err(refused) => refused,
        };
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::Fatal) {
            return Err(AppendError::of_enqueue(&error));
        }
        let successor =
            self.replace_client(&client).map_err(|error| AppendError::of_enqueue(&error))?;
        successor.send(record).map_err(|(error, _)| AppendError::of_enqueue(&error))
    }

    /// The client in the place of one that can never append again.
    fn replace_client(&self, failed: &Arc<Client>) -> Result<Arc<Client>, KafkaError> {
        let mut current = self.lock();
        if Arc::ptr_eq(&current, failed) {
            let successor = connect(&self.config, &self.gate, &self.reminder)?;
            let failed = mem::replace(&mut *current, successor);
            ::metrics::counter!(metrics::PRODUCERS_REPLACED).increment(1);
            tracing::error!("the log producer failed: a new one takes over");
            // What it has under way ends by the broker's word, or as unknown. What it took in the moment
            // when it failed would lie there until its time has passed.
            tokio::task::spawn_blocking(move || {
                failed.purge(PurgeConfig::default().queue());
                if let Err(error) = failed.flush(LAST_REPORTS) {
                    tracing::warn!(%error, "the failed log producer gives up what it had under way");
                }
            });
        }
        Ok(Arc::clone(&current))
    }

    /// Waits until nothing is in flight. Blocks: not for an asynchronous thread.
    pub fn flush(&self, timeout: Duration) -> Result<(), LogError> {
        Ok(self.client().flush(timeout)?)
    }

    /// Looks after its client and after partitions whose appends are refused, until it is stopped.
    pub async fn look_after(self: Arc<Self>, stop: CancellationToken) -> anyhow::Result<()> {
        let probes = async {
            loop {
                self.probe_all().await;
            }
        };
        let reminders = async {
            loop {
                self.reminder.due().await;
                self.reminder.remind(self.client().client());
            }
        };
        tokio::select! {
            () = stop.cancelled() => Ok(()),
            never = probes => never,
            never = reminders => never,
        }
    }

    /// Waits until there are such partitions, and asks once after each.
    async fn probe_all(&self) {
        let open = self.gate.open().await;
        sleep(PROBE_EVERY).await;
        join_all(open.into_iter().map(|partition| self.probe(partition))).await;
    }

    /// Asks where the log of a partition ends. Metadata says who leads it, but any broker answers
    /// for metadata, and one that hangs is named as a leader for seconds: this question goes to the
    /// leader itself. Neither tells whether enough replicas are in sync; the trial does.
    async fn probe(&self, partition: Partition) {
        let (client, topic) = (self.client(), self.topic.clone());
        let answer = tokio::task::spawn_blocking(move || {
            client.client().fetch_watermarks(&topic, partition.number(), PROBE_TIMEOUT)
        });
        if answer.await.is_ok_and(|answer| answer.is_ok()) {
            self.gate.found(partition, Instant::now());
        }
    }

    fn client(&self) -> Arc<Client> {
        Arc::clone(&self.lock())
    }

    fn lock(&self) -> MutexGuard<'_, Arc<Client>> {
        // It holds either client, whole.
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn connect(
    config: &ClientConfig,
    gate: &Arc<Gate>,
    reminder: &Arc<Reminder>,
) -> Result<Arc<Client>, KafkaError> {
    let reports = Reports {
        gate: Arc::clone(gate),
        reminder: Arc::clone(reminder),
        failed: AtomicBool::new(false),
        append_seconds: ::metrics::histogram!(metrics::APPEND_SECONDS),
    };
    Ok(Arc::new(config.create_with_context(reports)?))
}
