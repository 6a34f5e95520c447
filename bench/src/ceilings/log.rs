//! The log bare: librdkafka with the settings of chat-api.

use std::collections::HashMap;
use std::convert::Infallible;
use std::path::PathBuf;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context as _, Result, anyhow};
use rdkafka::consumer::{Consumer as _, StreamConsumer};
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message as _};
use rdkafka::producer::{BaseRecord, Producer as _, ProducerContext, ThreadedProducer};
use rdkafka::{ClientConfig, ClientContext, Offset, TopicPartitionList};
use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::tally::Tally;
use crate::load::{CallSample, Schedule, p99_millis};
use crate::usage::own_cpu_time;
use crate::wire::dialect::ROOM;

/// As many records as the client library queues.
const QUEUED: usize = 10_000;

/// Payloads that are made beforehand and then used in turn: making them is not what is measured.
const PAYLOADS: u64 = 10_000;

/// After that a log that says nothing is broken.
const HANG: Duration = Duration::from_secs(30);

/// Where to append, and what.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct LogArgs {
    #[arg(long)]
    pub(super) brokers: String,
    #[arg(long)]
    pub(super) topic: String,
    #[arg(long)]
    pub(super) partition: i32,
    /// A file with an envelope: each record is one like it.
    #[arg(long)]
    pub(super) sample: PathBuf,
}

/// Envelopes like a sample, each with an id of its own.
pub(super) struct Envelopes {
    before: String,
    after: String,
}

impl Envelopes {
    pub(super) fn read(args: &LogArgs) -> Result<Self> {
        let sample = std::fs::read_to_string(&args.sample)
            .with_context(|| format!("no {}", args.sample.display()))?;
        let envelope: serde_json::Value = serde_json::from_str(&sample)?;
        let id = envelope["message_id"].as_str().context("an envelope has an id")?;
        let (before, after) = sample.split_once(id).context("the id stands in the envelope")?;
        Ok(Self { before: before.to_owned(), after: after.to_owned() })
    }

    fn nth(&self, n: u64) -> Vec<u8> {
        self.of(id(n))
    }

    /// The one with that id.
    pub(super) fn of(&self, id: Uuid) -> Vec<u8> {
        format!("{}{id}{}", self.before, self.after).into_bytes()
    }
}

/// The `n`th of many different ids, which compress as badly as random ones do.
pub(super) fn id(n: u64) -> Uuid {
    Uuid::from_u64_pair(scattered(2 * n), scattered(2 * n + 1))
}

/// A bijection (the finalizer of Steele, Lea and Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
fn scattered(n: u64) -> u64 {
    let n = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let n = (n ^ (n >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let n = (n ^ (n >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    n ^ (n >> 31)
}

/// Called with the report of a record: whether it is acknowledged.
type OnReport = Box<dyn FnOnce(Result<(), KafkaError>) + Send + Sync>;

struct Reports;

impl ClientContext for Reports {}

impl ProducerContext for Reports {
    type DeliveryOpaque = Box<OnReport>;

    fn delivery(&self, result: &DeliveryResult<'_>, on_report: Box<OnReport>) {
        on_report(result.as_ref().map(|_| ()).map_err(|(error, _)| error.clone()));
    }
}

/// The settings of chat-api's producer.
pub(super) struct Producer {
    inner: ThreadedProducer<Reports>,
    topic: String,
    partition: i32,
}

impl Producer {
    pub(super) fn new(args: &LogArgs) -> Result<Self> {
        let inner = client(args)
            .set("acks", "all")
            .set("enable.idempotence", "true")
            .set("linger.ms", "2")
            .set("delivery.timeout.ms", "4000")
            .set("queue.buffering.max.messages", QUEUED.to_string())
            .set("queue.buffering.max.kbytes", "32768")
            .set("compression.codec", "lz4")
            .create_with_context(Reports)?;
        Ok(Self { inner, topic: args.topic.clone(), partition: args.partition })
    }

    fn send(&self, value: &[u8], on_report: OnReport) -> Result<()> {
        self.send_to(ROOM, value, on_report)
    }

    /// A record of that room.
    fn send_to(&self, room: &str, value: &[u8], on_report: OnReport) -> Result<()> {
        let record = BaseRecord::with_opaque_to(&self.topic, Box::new(on_report))
            .partition(self.partition)
            .key(room)
            .payload(value);
        self.inner.send(record).map_err(|(error, _)| anyhow!(error))
    }
}

fn client(args: &LogArgs) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &args.brokers).set("socket.nagle.disable", "true");
    config
}

/// Keeps `in_flight` appends under way for the time `lasting`.
pub(super) fn append(args: &LogArgs, in_flight: usize, lasting: Duration) -> Result<Tally> {
    let envelopes = Envelopes::read(args)?;
    let payloads: Vec<Vec<u8>> = (0..PAYLOADS).map(|n| envelopes.nth(n)).collect();
    let producer = Producer::new(args)?;
    // Connects.
    let mut payloads = payloads.iter().cycle();
    let mut send =
        |on_report| producer.send(payloads.next().context("something to send")?, on_report);
    run(&mut send, 1, |sent, _| sent < 1)?;
    run(&mut send, in_flight, |_, elapsed| elapsed < lasting)
}

/// Appends `count` records.
pub(super) fn fill(args: &LogArgs, count: u64) -> Result<Tally> {
    let envelopes = Envelopes::read(args)?;
    let payloads: Vec<Vec<u8>> = (0..count).map(|n| envelopes.nth(n)).collect();
    let (producer, mut payloads) = (Producer::new(args)?, payloads.iter());
    let send = |on_report| producer.send(payloads.next().context("something to send")?, on_report);
    run(send, QUEUED / 2, |sent, _| sent < count)
}

/// Appends these records, each of the room that is named with it, in their order.
pub(super) fn append_all(args: &LogArgs, records: &[(String, Vec<u8>)]) -> Result<Tally> {
    let (producer, mut next) = (Producer::new(args)?, records.iter());
    let send = |on_report| {
        let (room, value) = next.next().context("something to send")?;
        producer.send_to(room, value, on_report)
    };
    run(send, QUEUED / 2, |sent, _| sent < records.len() as u64)
}

/// Sends while it is wanted, given how many were sent in what time, never more than `in_flight` at
/// once; then waits for the last report.
fn run(
    mut hand_over: impl FnMut(OnReport) -> Result<()>,
    in_flight: usize,
    goes_on: impl Fn(u64, Duration) -> bool,
) -> Result<Tally> {
    let (report, reports) = mpsc::channel();
    let (start, cpu) = (Instant::now(), own_cpu_time()?);
    let (mut sent, mut under_way, mut latencies) = (0_u64, 0, Vec::new());
    loop {
        let more = goes_on(sent, start.elapsed());
        if more && under_way < in_flight {
            let (report, begun) = (report.clone(), Instant::now());
            let on_report = move |outcome: Result<(), KafkaError>| {
                // Nobody hears it after a failure.
                let _ = report.send(outcome.map(|()| begun.elapsed()));
            };
            hand_over(Box::new(on_report))?;
            (sent, under_way) = (sent + 1, under_way + 1);
        } else if under_way > 0 {
            latencies.push(reports.recv_timeout(HANG)??);
            under_way -= 1;
        } else if !more {
            break;
        }
    }
    tally(start, cpu, latencies.into_iter())
}

fn tally(
    start: Instant,
    cpu: Duration,
    latencies: impl ExactSizeIterator<Item = Duration>,
) -> Result<Tally> {
    let seconds = start.elapsed().as_secs_f64();
    let cpu_seconds = own_cpu_time()?.saturating_sub(cpu).as_secs_f64();
    let count = latencies.len() as u64;
    Ok(Tally { count, seconds, cpu_seconds, p99_millis: p99_millis(latencies)? })
}

/// Sends at a fixed rate: from when it was due to its acknowledgement.
pub(super) async fn pace(args: &LogArgs, per_second: f64, lasting: Duration) -> Result<Tally> {
    let (envelopes, producer) = (Arc::new(Envelopes::read(args)?), Arc::new(Producer::new(args)?));
    acknowledged(&producer, &envelopes.nth(0)).await?;
    let (start, cpu) = (Instant::now(), own_cpu_time()?);
    let samples = Schedule::from_now(per_second, lasting)
        .run(|n| {
            let (envelopes, producer) = (Arc::clone(&envelopes), Arc::clone(&producer));
            async move { acknowledged(&producer, &envelopes.nth(u64::from(n))).await }
        })
        .await;
    tally(start, cpu, latencies(samples)?.into_iter())
}

/// Sends, and waits for the acknowledgement.
pub(super) async fn acknowledged(producer: &Producer, value: &[u8]) -> Result<()> {
    let (report, reported) = oneshot::channel();
    let on_report = move |outcome: Result<(), KafkaError>| {
        // Nobody hears it after a failure.
        let _ = report.send(outcome);
    };
    producer.send(value, Box::new(on_report))?;
    Ok(timeout(HANG, reported).await???)
}

fn latencies<T>(samples: Vec<CallSample<Result<T>>>) -> Result<Vec<Duration>> {
    samples.into_iter().map(|sample| sample.answer.map(|_| sample.latency)).collect()
}

/// Who waits for a record to come back, by its id.
type Waiting = Arc<Mutex<HashMap<String, oneshot::Sender<()>>>>;

/// Sends at a fixed rate: from when it was due to when a consumer in this process has it.
pub(super) async fn echo(args: &LogArgs, per_second: f64, lasting: Duration) -> Result<Tally> {
    let (envelopes, producer) = (Arc::new(Envelopes::read(args)?), Arc::new(Producer::new(args)?));
    let waiting = Waiting::default();
    let consumer = consumer(args, &producer)?;
    let back = |n: u32| {
        let n = u64::from(n);
        let (answer, answered) = oneshot::channel();
        waiting.lock().unwrap_or_else(PoisonError::into_inner).insert(id(n).to_string(), answer);
        let sent = producer.send(&envelopes.nth(n), Box::new(|_| {}));
        async move {
            sent?;
            Ok(timeout(HANG, answered).await??)
        }
    };
    let paced = async {
        // Connects.
        back(u32::MAX).await?;
        let (start, cpu) = (Instant::now(), own_cpu_time()?);
        let samples = Schedule::from_now(per_second, lasting).run(&back).await;
        tally(start, cpu, latencies(samples)?.into_iter())
    };
    tokio::select! {
        tally = paced => tally,
        Err(error) = read(&consumer, &waiting) => Err(error),
    }
}

/// A reader of what comes from now on, with chat-api's settings.
pub(super) fn consumer(args: &LogArgs, producer: &Producer) -> Result<StreamConsumer> {
    let (_, end) = producer.inner.client().fetch_watermarks(&args.topic, args.partition, HANG)?;
    let consumer: StreamConsumer = client(args)
        .set("group.id", format!("{}-echo", args.topic))
        .set("enable.auto.commit", "false")
        .set("enable.auto.offset.store", "false")
        .set("enable.partition.eof", "true")
        .set("auto.offset.reset", "error")
        .set("queued.max.messages.kbytes", "8192")
        .create()?;
    let mut from = TopicPartitionList::new();
    from.add_partition_offset(&args.topic, args.partition, Offset::Offset(end))?;
    consumer.assign(&from)?;
    Ok(consumer)
}

/// Tells those who wait. Ends by a failure only.
async fn read(consumer: &StreamConsumer, waiting: &Waiting) -> Result<Infallible> {
    loop {
        let record = match consumer.recv().await {
            Err(KafkaError::PartitionEOF(_)) => continue,
            record => record?,
        };
        let value: serde_json::Value =
            serde_json::from_slice(record.payload().unwrap_or_default())?;
        let id = value["message_id"].as_str().context("an envelope has an id")?;
        let who = waiting.lock().unwrap_or_else(PoisonError::into_inner).remove(id);
        // Nobody waits any more after a failure.
        let _ = who.map(|who| who.send(()));
    }
}
