//! Appending, to a broker that misbehaves to order

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use chat_api::kafka::{AppendError, Appended, Bounds, Log, Partitioner, Producer, Security};
use chat_api::message::{Author, Content, Draft, Envelope, RoomId, UserId, UserName};
use futures_util::future::join_all;
use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer as _};
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::mocking::MockCluster;
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};
use tokio_util::sync::CancellationToken;

use crate::setup::{HANG, eventually};

/// The number of the one broker.
const BROKER: i32 = 1;

/// One partition on one broker that does what it is told, and a producer that looks after itself.
struct Scene {
    broker: MockCluster<'static, DefaultProducerContext>,
    log: Log,
    producer: Arc<Producer>,
    stop: CancellationToken,
}

impl Scene {
    /// A scene in which one append came through.
    async fn new(bounds: Bounds) -> Self {
        let scene = Self::silent(bounds);
        scene.append().await.unwrap();
        scene
    }

    /// A scene in which nothing was said yet.
    fn silent(bounds: Bounds) -> Self {
        let broker = MockCluster::new(1).unwrap();
        let log = Log {
            brokers: broker.bootstrap_servers(),
            prefix: String::new(),
            security: Security::default(),
            generation: 0,
        };
        broker.create_topic(&log.messages(), 1, 1).unwrap();
        let partitioner = Partitioner::new(1).unwrap();
        let producer = Arc::new(Producer::new(&log, partitioner, bounds, None).unwrap());
        let stop = CancellationToken::new();
        tokio::spawn(Arc::clone(&producer).look_after(stop.clone()));
        Self { broker, log, producer, stop }
    }

    async fn append(&self) -> Result<Appended, AppendError> {
        let envelope = envelope();
        let partition = Partitioner::new(1).unwrap().of(&envelope.room_id);
        let appended = self.producer.append(partition, &envelope);
        tokio::time::timeout(HANG, appended).await.expect("an append ends")
    }

    /// Appends at once.
    async fn appends(&self, count: usize) -> Vec<Result<Appended, AppendError>> {
        join_all((0..count).map(|_| self.append())).await
    }

    /// The next appends end so, one after the other.
    fn answer(&self, error: RDKafkaRespErr, times: usize) {
        self.broker.request_errors(RDKafkaApiKey::Produce, &vec![error; times]);
    }

    fn answer_again(&self) {
        self.broker.clear_request_errors(RDKafkaApiKey::Produce);
    }

    /// How long every answer takes.
    fn delay(&self, delay: Duration) {
        self.broker.broker_round_trip_time(BROKER, delay).unwrap();
    }

    async fn taken_again(&self) {
        eventually("appends are taken again", async || self.append().await.ok()).await;
    }

    fn records(&self) -> i64 {
        let mut config = ClientConfig::new();
        let consumer: BaseConsumer =
            config.set("bootstrap.servers", &self.log.brokers).create().unwrap();
        consumer.fetch_watermarks(&self.log.messages(), 0, HANG).unwrap().1
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn envelope() -> Envelope {
    let user_id = UserId::parse("ada").unwrap();
    let author = Author { user_name: UserName::shown(None, &user_id), user_id };
    let content = Content::parse("hi").unwrap();
    let draft = Draft { room_id: RoomId::lobby(), content, reply_to: None, key: None };
    Envelope::compose(draft, &author, chrono::Utc::now(), rand::random())
}

#[tokio::test(flavor = "multi_thread")]
async fn too_few_replicas_in_sync_mean_not_sent_then_refused_at_once_until_a_trial_succeeds() {
    let scene = Scene::new(Bounds::default()).await;
    scene.answer(RDKafkaRespErr::RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, 1_000);
    let timed_out = RDKafkaErrorCode::MessageTimedOut;
    assert_eq!(scene.append().await, Err(AppendError::NotSent(timed_out)));
    assert_eq!(scene.append().await, Err(AppendError::Unavailable));

    // The leader answers, so a probe lets a trial through, which does not change a thing.
    eventually("a trial fails", async || {
        (scene.append().await == Err(AppendError::NotSent(timed_out))).then_some(())
    })
    .await;
    assert_eq!(scene.append().await, Err(AppendError::Unavailable));
    assert_eq!(scene.records(), 1);

    scene.answer_again();
    scene.taken_again().await;
    assert!(scene.appends(20).await.iter().all(Result::is_ok));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_broker_got_and_did_not_answer_is_unknown() {
    let scene = Scene::new(Bounds::default()).await;
    scene.delay(HANG);
    let timed_out = RDKafkaErrorCode::MessageTimedOut;
    assert_eq!(scene.append().await, Err(AppendError::Unknown(timed_out)));
    assert_eq!(scene.append().await, Err(AppendError::Unavailable));
    scene.delay(Duration::ZERO);
    scene.taken_again().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_never_left_is_not_sent() {
    let scene = Scene::silent(Bounds::default());
    scene.broker.broker_down(BROKER).unwrap();
    let timed_out = RDKafkaErrorCode::MessageTimedOut;
    assert_eq!(scene.append().await, Err(AppendError::NotSent(timed_out)));
    assert_eq!(scene.append().await, Err(AppendError::Unavailable));
    scene.broker.broker_up(BROKER).unwrap();
    scene.taken_again().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_lost_once_costs_nobody_an_answer() {
    let scene = Scene::new(Bounds::default()).await;
    scene.answer(RDKafkaRespErr::RD_KAFKA_RESP_ERR__TRANSPORT, 1);
    assert!(scene.appends(20).await.iter().all(Result::is_ok));
    assert_eq!(scene.records(), 21);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_has_the_record_already_acknowledges_it_without_its_place() {
    let scene = Scene::new(Bounds::default()).await;
    scene.answer(RDKafkaRespErr::RD_KAFKA_RESP_ERR_DUPLICATE_SEQUENCE_NUMBER, 1);
    assert_eq!(scene.append().await, Ok(Appended { cursor: None }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_record_that_is_refused_for_its_own_sake_does_not_concern_the_next() {
    let scene = Scene::new(Bounds::default()).await;
    scene.answer(RDKafkaRespErr::RD_KAFKA_RESP_ERR_POLICY_VIOLATION, 1);
    let refused = AppendError::Refused(RDKafkaErrorCode::PolicyViolation);
    assert_eq!(scene.append().await, Err(refused));
    assert!(scene.append().await.is_ok());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_fatal_error_what_was_pending_is_unknown_and_a_new_client_takes_the_next() {
    let scene = Scene::new(Bounds::default()).await;
    for _ in 0..3 {
        scene.answer(RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 1);
        let pending = scene.appends(20).await;
        let unknown = |end: &Result<_, _>| matches!(end, Err(AppendError::Unknown(_)));
        assert!(unknown(&pending[0]), "{pending:?}");
        assert!(pending.iter().all(|end| unknown(end) || end.is_ok()), "{pending:?}");
        assert!(scene.appends(20).await.iter().all(Result::is_ok));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn while_clients_fail_no_append_is_lost_without_a_word() {
    let scene = Scene::new(Bounds::default()).await;
    let (mut places, mut unknown) = (HashSet::new(), 0);
    for round in 0..60 {
        if round % 10 == 5 {
            scene.answer(RDKafkaRespErr::RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER, 1);
        }
        for end in scene.appends(10).await {
            match end {
                Ok(appended) => assert!(places.insert(appended.cursor.unwrap()), "one place each"),
                Err(AppendError::Unknown(_)) => unknown += 1,
                // A client that fails may have taken it a moment before, and never sends it.
                Err(AppendError::NotSent(RDKafkaErrorCode::MessageTimedOut)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    }
    assert!(unknown > 0, "no client failed");
    let records = usize::try_from(scene.records()).unwrap() - 1;
    assert!((places.len()..=places.len() + unknown).contains(&records), "{records} records");
}

#[tokio::test(flavor = "multi_thread")]
async fn when_too_much_is_under_way_nothing_more_is_queued() {
    // Key and value of a record.
    let bytes = chat_api::kafka::encode(&envelope()).len() + RoomId::LOBBY.len();
    for bounds in
        [Bounds { messages: 5, bytes: 32 << 20 }, Bounds { messages: 10_000, bytes: 6 * bytes - 1 }]
    {
        let scene = Scene::new(bounds).await;
        scene.delay(Duration::from_secs(1));
        let ends = scene.appends(8).await;
        let acknowledged = ends.iter().filter(|end| end.is_ok()).count();
        // The client library gives a place back a moment later than it tells.
        assert!((4..=5).contains(&acknowledged), "{bounds:?}: {ends:?}");
        let refused = |end: &&_| **end == Err(AppendError::Overloaded);
        assert_eq!(ends.iter().filter(refused).count(), 8 - acknowledged, "{bounds:?}");
        scene.delay(Duration::ZERO);
        assert_eq!(usize::try_from(scene.records()).unwrap(), 1 + acknowledged);
        eventually("places come back", async || scene.append().await.ok()).await;
    }
}
