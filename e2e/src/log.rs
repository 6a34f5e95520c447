//! A look into Kafka by hand, with nothing of the services' own code.

use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use devstack::endpoints::Endpoints;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::KafkaError;
use rdkafka::message::Message as _;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use tokio::time::Instant;

use crate::wait::HANG;

/// How long a poll waits.
const POLL: Duration = Duration::from_millis(200);

/// A topic of a stack.
#[derive(Clone, Debug)]
pub struct Topic {
    brokers: String,
    prefix: String,
    name: String,
}

/// A record as it stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The offset in its partition.
    pub offset: i64,
    /// The bytes of its key; absent if it has none.
    pub key: Option<Vec<u8>>,
    /// The bytes of its value; absent if it has none.
    pub value: Option<Vec<u8>>,
}

impl Topic {
    /// The topic with messages.
    #[must_use]
    pub fn messages(endpoints: &Endpoints) -> Self {
        Self::of(endpoints, "chat-messages")
    }

    /// The topic with records that nobody could read or store.
    #[must_use]
    pub fn dead_letters(endpoints: &Endpoints) -> Self {
        Self::of(endpoints, "chat-dlq")
    }

    fn of(endpoints: &Endpoints, name: &str) -> Self {
        let prefix = endpoints.kafka_topic_prefix.clone();
        Self { brokers: endpoints.kafka.clone(), name: format!("{prefix}{name}"), prefix }
    }

    /// The name of the topic.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &self.brokers);
        config
    }

    /// How many partitions it has; none if it is not there.
    pub async fn partitions(&self) -> Result<i32> {
        let topic = self.clone();
        blocking(move || {
            let consumer: BaseConsumer = topic.client().create()?;
            let metadata = consumer.fetch_metadata(Some(&topic.name), HANG)?;
            let found = metadata.topics().iter().find(|found| found.name() == topic.name);
            let count = found.map_or(0, |found| found.partitions().len());
            i32::try_from(count).context("partitions are numbered by an i32")
        })
        .await
    }

    /// The records of a partition from an offset on, up to where it ends when they are asked for.
    pub async fn read(&self, partition: i32, from: i64) -> Result<Vec<Record>> {
        let topic = self.clone();
        blocking(move || topic.read_now(partition, from)).await
    }

    fn read_now(&self, partition: i32, from: i64) -> Result<Vec<Record>> {
        let consumer: BaseConsumer = self
            .client()
            // The client library wants a name; nothing joins or commits.
            .set("group.id", format!("{}checker-by-hand", self.prefix))
            .set("enable.auto.commit", "false")
            .set("enable.partition.eof", "true")
            .set("auto.offset.reset", "error")
            .create()?;
        let mut place = TopicPartitionList::new();
        place.add_partition_offset(&self.name, partition, Offset::Offset(from))?;
        consumer.assign(&place)?;
        // Where somebody speaks all the time, the end is never reached.
        let (_, end) = consumer.fetch_watermarks(&self.name, partition, HANG)?;
        let (mut records, mut deadline) = (Vec::new(), Instant::now() + HANG);
        loop {
            if records.last().is_some_and(|last: &Record| last.offset + 1 >= end) {
                return Ok(records);
            }
            match consumer.poll(POLL) {
                Some(Ok(message)) => {
                    deadline = Instant::now() + HANG;
                    records.push(Record {
                        offset: message.offset(),
                        key: message.key().map(<[u8]>::to_vec),
                        value: message.payload().map(<[u8]>::to_vec),
                    });
                }
                Some(Err(KafkaError::PartitionEOF(_))) => return Ok(records),
                // It tries again by itself, until there was silence for too long.
                Some(Err(KafkaError::MessageConsumption(_))) | None => {}
                Some(Err(error)) => return Err(error).context("Kafka cannot be read"),
            }
            ensure!(Instant::now() < deadline, "Kafka is silent after {} records", records.len());
        }
    }

    /// Writes a record as somebody would who does not know the rules.
    pub async fn write(&self, partition: i32, key: &str, value: Option<&str>) -> Result<()> {
        let (topic, key, value) = (self.clone(), key.to_owned(), value.map(str::to_owned));
        blocking(move || {
            let producer: BaseProducer = topic.client().create()?;
            let mut record =
                BaseRecord::<String, String>::to(&topic.name).partition(partition).key(&key);
            record.payload = value.as_ref();
            if let Err((error, _)) = producer.send(record) {
                bail!("a record is refused: {error}");
            }
            producer.flush(HANG).context("a record is not acknowledged")
        })
        .await
    }

    /// Joins the group of the archive's readers, takes its share without reading it, and leaves. Tells whether it
    /// got a share.
    pub async fn intrude(&self) -> Result<bool> {
        let topic = self.clone();
        blocking(move || {
            let consumer: BaseConsumer = topic
                .client()
                .set("group.id", format!("{}chat-persist", topic.prefix))
                .set("partition.assignment.strategy", "cooperative-sticky")
                .set("enable.auto.commit", "false")
                .set("enable.auto.offset.store", "false")
                .set("session.timeout.ms", "6000")
                .create()?;
            consumer.subscribe(&[&topic.name])?;
            let polls = HANG.as_millis() / POLL.as_millis() / 3;
            for _ in 0..polls {
                // Whatever comes is for the next reader: nothing is committed.
                let _ = consumer.poll(POLL);
                if consumer.assignment()?.count() > 0 {
                    return Ok(true);
                }
            }
            Ok(false)
        })
        .await
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> Result<T> {
    tokio::task::spawn_blocking(work).await.context("asking Kafka failed")?
}
