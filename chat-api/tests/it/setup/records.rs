//! Records that are put into topics and read out of them past the program, and readers without one.

use std::collections::BTreeMap;

use chat_api::archive::Archive;
use chat_api::kafka::{DeadLetters, Decoder, GroupConsumer, Partitioner};
use chat_api::message::{MessageId, Partition, RoomId};
use chat_api::workers::{ArchiveReader, Stopped};
use chrono::Utc;
use rdkafka::admin::{AdminClient, AdminOptions};
use rdkafka::client::DefaultClientContext;
use rdkafka::consumer::{BaseConsumer, Consumer as _, StreamConsumer};
use rdkafka::message::{Header, Headers as _, Message as _, OwnedHeaders};
use rdkafka::producer::DefaultProducerContext;
use rdkafka::producer::{BaseRecord, Producer as _, ThreadedProducer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use serde_json::{Value, json};
use service_process::admin::Readiness;
use service_process::sources::Sources;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::setup::{HANG, PARTITIONS, Setup};

/// A record as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) partition: i32,
    pub(crate) offset: i64,
    pub(crate) key: Option<Vec<u8>>,
    pub(crate) value: Option<Vec<u8>>,
    pub(crate) headers: BTreeMap<String, String>,
}

fn client(setup: &Setup) -> ClientConfig {
    let mut config = ClientConfig::new();
    config.set("bootstrap.servers", &setup.log.brokers);
    config
}

pub(crate) fn admin(setup: &Setup) -> AdminClient<DefaultClientContext> {
    client(setup).create().unwrap()
}

pub(crate) fn partitioner() -> Partitioner {
    Partitioner::new(usize::from(PARTITIONS)).unwrap()
}

/// A room of each partition.
pub(crate) fn rooms() -> Vec<RoomId> {
    let room = |partition| {
        let rooms = (0..).map(|number| RoomId::parse(&format!("room-{number}")).unwrap());
        rooms.into_iter().find(|room| partitioner().of(room) == partition).unwrap()
    };
    partitioner().all().map(room).collect()
}

/// An envelope as any producer might write it.
pub(crate) fn envelope(room: &str, content: &str) -> Value {
    json!({
        "v": 1,
        "type": "message",
        "message_id": MessageId::new(Utc::now(), rand::random()).to_string(),
        "room_id": room,
        "user_id": "ada",
        "user_name": "Ada",
        "timestamp": "2026-01-02T03:04:05.678Z",
        "content": content,
    })
}

/// What somebody did to a message of the lobby, as any producer might write it: a record of that kind, with
/// these fields more.
pub(crate) fn change(who: &str, kind: &str, to: (&Value, i64), more: &Value) -> Value {
    let mut value = envelope(RoomId::LOBBY, "");
    let fields = value.as_object_mut().unwrap();
    fields.remove("content");
    fields.extend([
        ("type".to_owned(), kind.into()),
        ("user_id".to_owned(), who.into()),
        ("ref".to_owned(), to.0["message_id"].clone()),
        ("ref_pos".to_owned(), to.1.into()),
    ]);
    fields.extend(more.as_object().unwrap().clone());
    value
}

/// Puts records into the topic with messages.
pub(crate) struct Putter {
    producer: ThreadedProducer<DefaultProducerContext>,
    topic: String,
}

impl Putter {
    pub(crate) fn new(setup: &Setup) -> Self {
        Self::with(setup, &[("linger.ms", "0")])
    }

    /// One whose client has these settings.
    pub(crate) fn with(setup: &Setup, settings: &[(&str, &str)]) -> Self {
        let mut config = client(setup);
        for (name, value) in settings {
            config.set(*name, *value);
        }
        Self { producer: config.create().unwrap(), topic: setup.log.messages() }
    }

    /// Puts a record with these headers.
    pub(crate) fn put_with(&self, partition: Partition, value: &[u8], own: &[(&str, &[u8])]) {
        let headers = own.iter().fold(OwnedHeaders::new(), |headers, (key, value)| {
            headers.insert(Header { key, value: Some(*value) })
        });
        let record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(&self.topic)
            .partition(partition.number())
            .key(&b"large"[..])
            .payload(value)
            .headers(headers);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    /// Begins a transaction, as a stranger might.
    pub(crate) fn begin_transaction(&self) {
        self.producer.init_transactions(HANG).unwrap();
        self.producer.begin_transaction().unwrap();
    }

    pub(crate) fn abort_transaction(&self) {
        self.producer.abort_transaction(HANG).unwrap();
    }

    pub(crate) fn put(&self, partition: Partition, key: Option<&[u8]>, value: Option<&[u8]>) {
        let headers = OwnedHeaders::new()
            .insert(Header { key: "traceparent", value: Some("00-1-2-03") })
            .insert(Header { key: "origin", value: Some("elsewhere") });
        let mut record: BaseRecord<'_, [u8], [u8]> =
            BaseRecord::to(&self.topic).partition(partition.number()).headers(headers);
        (record.key, record.payload) = (key, value);
        self.producer.send(record).map_err(|(error, _)| error).unwrap();
    }

    /// Says something in a room.
    pub(crate) fn say(&self, room: &RoomId, content: &str) {
        let value = envelope(room.as_str(), content).to_string();
        let key = room.as_str().as_bytes();
        self.put(partitioner().of(room), Some(key), Some(value.as_bytes()));
    }

    /// Writes a record of a later release into a room: one of that kind, with these fields more.
    pub(crate) fn of_later(&self, room: &RoomId, kind: &str, more: &Value) {
        let mut value = envelope(room.as_str(), "later words");
        value["type"] = kind.into();
        for (field, more) in more.as_object().unwrap() {
            value[field] = more.clone();
        }
        let key = room.as_str().as_bytes();
        self.put(partitioner().of(room), Some(key), Some(value.to_string().as_bytes()));
    }

    /// Puts an envelope into its room.
    pub(crate) fn write(&self, value: &Value) {
        let room = RoomId::parse(value["room_id"].as_str().unwrap()).unwrap();
        let key = room.as_str().as_bytes();
        self.put(partitioner().of(&room), Some(key), Some(value.to_string().as_bytes()));
    }

    /// Says things in the lobby in this order, each under the id of its number.
    pub(crate) fn say_as<'a>(&self, said: impl IntoIterator<Item = (u32, &'a str)>) {
        let lobby = RoomId::lobby();
        let key = lobby.as_str().as_bytes();
        for (number, content) in said {
            let mut value = envelope(RoomId::LOBBY, content);
            value["message_id"] = format!("019ab1c4-7a10-7c3e-9d55-3f1f{number:08x}").into();
            let value = value.to_string();
            self.put(partitioner().of(&lobby), Some(key), Some(value.as_bytes()));
        }
        self.flush();
    }

    pub(crate) fn flush(&self) {
        self.producer.flush(HANG).unwrap();
    }
}

/// Puts records with these keys and values into any topic, in this order.
pub(crate) fn append_to(setup: &Setup, topic: &str, records: &[(&[u8], Option<&[u8]>)]) {
    let producer: ThreadedProducer<DefaultProducerContext> = client(setup).create().unwrap();
    for (key, value) in records {
        let mut record: BaseRecord<'_, [u8], [u8]> = BaseRecord::to(topic).key(*key);
        record.payload = *value;
        producer.send(record).map_err(|(error, _)| error).unwrap();
    }
    producer.flush(HANG).unwrap();
}

/// The first records of a topic, as many as that.
pub(crate) async fn records(setup: &Setup, topic: &str, count: usize) -> Vec<Record> {
    let consumer: StreamConsumer = client(setup)
        .set("group.id", "nobody")
        .set("enable.auto.commit", "false")
        // A topic that is made while this waits.
        .set("topic.metadata.refresh.interval.ms", "500")
        .set("allow.auto.create.topics", "false")
        .create()
        .unwrap();
    let mut list = TopicPartitionList::new();
    for number in 0..i32::from(PARTITIONS) {
        list.add_partition_offset(topic, number, Offset::Beginning).unwrap();
    }
    consumer.assign(&list).unwrap();
    let mut records = Vec::new();
    let read = async {
        while records.len() < count {
            let Ok(record) = consumer.recv().await else { continue };
            let headers = record.headers().into_iter().flat_map(|headers| headers.iter());
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
            records.push(Record {
                partition: record.partition(),
                offset: record.offset(),
                key: record.key().map(<[u8]>::to_vec),
                value: record.payload().map(<[u8]>::to_vec),
                headers: headers
                    .map(|header| (header.key.to_owned(), text(header.value.unwrap())))
                    .collect(),
            });
        }
    };
    tokio::time::timeout(HANG, read).await.expect("as many records as expected");
    records.sort_by_key(|record| (record.partition, record.offset));
    records
}

pub(crate) async fn dead_letters(setup: &Setup, count: usize) -> Vec<Record> {
    let letters = records(setup, &setup.log.dead_letters(), count).await;
    assert_eq!(held(setup, &setup.log.dead_letters()), count, "and no more");
    letters
}

/// How many records a topic holds.
pub(crate) fn held(setup: &Setup, topic: &str) -> usize {
    let consumer: BaseConsumer = client(setup).create().unwrap();
    let held = |number| {
        let (start, end) = consumer.fetch_watermarks(topic, number, HANG).unwrap();
        usize::try_from(end - start).unwrap()
    };
    (0..i32::from(PARTITIONS)).map(held).sum()
}

pub(crate) async fn delete_topic(setup: &Setup, topic: &str) {
    let deleted = admin(setup).delete_topics(&[topic], &AdminOptions::new()).await.unwrap();
    for topic in deleted {
        topic.unwrap();
    }
}

/// Cuts the beginning of a partition off, as its retention does.
pub(crate) async fn cut(setup: &Setup, partition: Partition, start: i64) {
    let mut list = TopicPartitionList::new();
    let (topic, offset) = (setup.log.messages(), Offset::Offset(start));
    list.add_partition_offset(&topic, partition.number(), offset).unwrap();
    admin(setup).delete_records(&list, &AdminOptions::new()).await.unwrap();
}

/// An archive reader that is a program of its own but for the process.
pub(crate) struct Reader {
    stop: CancellationToken,
    life: JoinHandle<anyhow::Result<()>>,
}

impl Reader {
    pub(crate) async fn start(setup: &Setup) -> Self {
        let uri = setup.mongodb_uri.clone().into();
        let archive = Archive::open(&uri, &setup.database).await.unwrap();
        archive.prepare(setup.log.generation, usize::from(PARTITIONS)).await.unwrap();
        let condition = Readiness::new().condition("archive");
        let reader = ArchiveReader::new(
            GroupConsumer::join(&setup.log, Decoder::new(partitioner())).unwrap(),
            archive,
            DeadLetters::new(setup.log.clone()),
            Stopped::new("archive", setup.log.messages(), condition),
            Sources::system(),
        );
        let stop = CancellationToken::new();
        let life = tokio::spawn(reader.run(stop.clone(), CancellationToken::new()));
        Self { stop, life }
    }

    /// As if its process were killed: whatever is under way is cut off.
    pub(crate) async fn kill(self) {
        self.life.abort();
        let _ = self.life.await;
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let ended = tokio::time::timeout(HANG, self.life).await;
        ended.expect("the reader stops").unwrap().unwrap();
    }
}
