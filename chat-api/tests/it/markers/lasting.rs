//! Markers outlive whatever ends

use std::time::{Duration, Instant};

use devstack::kafka;
use mongodb::bson::doc;
use rdkafka::ClientConfig;
use rdkafka::producer::{BaseRecord, DefaultProducerContext, Producer as _, ThreadedProducer};
use reqwest::Method;
use serde_json::{Value, json};

use super::{
    applied, are, call, cursor_at, listener, mark, position, put, room, say, stored, told,
};
use crate::setup::program::run;
use crate::setup::{HANG, Replica, Setup, assert_problem, eventually};

/// Puts records into the topic with markers, as any producer might.
struct Putter(ThreadedProducer<DefaultProducerContext>, String);

impl Putter {
    fn new(setup: &Setup) -> Self {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", &setup.log.brokers);
        Self(config.create().unwrap(), setup.log.markers())
    }

    fn put(&self, key: &str, value: &str) {
        let record = BaseRecord::to(&self.1).partition(0).key(key).payload(value);
        self.0.send(record).map_err(|(error, _)| error).unwrap();
        self.0.flush(HANG).unwrap();
    }

    /// A marker with these fields in the place of others.
    fn mark(&self, who: &str, room: &str, cursor: &str, other: &Value) {
        let mut value = json!({
            "v": 1, "type": "marker", "message_id": "019ab1c4-7a10-7c3e-9d55-3f1f00000000",
            "room_id": room, "user_id": who, "timestamp": "2026-01-02T03:04:05.678Z",
            "pos": position(cursor).raw(),
        });
        for (field, other) in other.as_object().unwrap() {
            value[field] = other.clone();
        }
        self.put(&format!("{who}|{room}"), &value.to_string());
    }
}

/// Waits until so many are counted. All replicas of this program count together, and other tests have some.
async fn counted(replica: &Replica, reader: &str, outcome: &str, least: u64) {
    let labels = [format!("reader=\"{reader}\""), format!("outcome=\"{outcome}\"")];
    eventually("they are counted", async || {
        let metrics = replica.metrics().await;
        let mut lines = metrics.lines();
        let is_it = |line: &&str| {
            line.starts_with("chat_marker_records_total{")
                && labels.iter().all(|label| line.contains(label))
        };
        let count: u64 = lines.find(is_it)?.rsplit_once(' ')?.1.parse().ok()?;
        (count >= least).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_can_read_yet_is_passed_over_and_counted() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let ada = setup.issuer.token("ada");
    let said = say(&replica, &ada, "lobby", "first").await;
    let mut socket = listener(&replica, &setup.issuer.token("bob"), "lobby").await;
    let putter = Putter::new(&setup);
    putter.mark("bob", "lobby", &said, &json!({ "v": 2 }));
    putter.mark("bob", "lobby", &said, &json!({ "type": "draft" }));
    putter.put("bob|lobby", "poison");
    putter.put("eve|lobby", "{}");
    putter.mark("bob", "lobby", &said, &json!({ "device": "of a later release" }));
    assert_eq!(told(&mut socket, "lobby").await, ("bob".to_owned(), said.clone()));
    are(&replica, &setup.issuer.token("bob"), "lobby", &[("bob", &said)]).await;
    for reader in ["fanout", "archive"] {
        for (outcome, count) in [("newer", 2), ("undecodable", 2), ("taken", 1)] {
            counted(&replica, reader, outcome, count).await;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_and_a_rebuild_have_every_marker_and_so_has_a_backup_that_was_put_back() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = room(&setup, &[&replica], "group", &["bob", "cid"]).await;
    let first = say(&replica, &ada, &room, "first").await;
    let second = say(&replica, &ada, &room, "second").await;
    for (who, cursor) in [("bob", &first), ("cid", &first), ("bob", &second)] {
        let token = setup.issuer.token(who);
        assert_eq!(mark(&replica, &token, &room, cursor).await, applied(cursor));
    }
    let all = [("ada", second.as_str()), ("bob", second.as_str()), ("cid", first.as_str())];
    are(&replica, &ada, &room, &all).await;
    replica.stop().await;

    let replica = setup.replica().await;
    are(&replica, &ada, &room, &all).await;
    setup.collection("markers").await.drop().await.unwrap();
    are(&replica, &ada, &room, &[]).await;
    let (code, text, log) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(0), "{text}{log}");
    assert!(text.contains("markers: 3 records"), "{text}");
    are(&replica, &ada, &room, &all).await;

    // As somebody puts a backup back of before the first.
    for name in ["markers", "marker_progress"] {
        setup.collection(name).await.delete_many(doc! { "_id": { "$ne": "" } }).await.unwrap();
    }
    let third = say(&replica, &ada, &room, "third").await;
    assert_eq!(mark(&replica, &bob, &room, &third).await, applied(&third));
    are(&replica, &ada, &room, &[("ada", &third), ("bob", &third), ("cid", &first)]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_takes_its_markers_along_and_one_that_comes_later_is_not_kept() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let gone = room(&setup, &[&replica], "group", &["bob"]).await;
    let stays = room(&setup, &[&replica], "group", &["bob"]).await;
    let markers = setup.collection("markers").await;
    let of = async |room: &str| markers.count_documents(doc! { "room_id": room }).await.unwrap();
    let mut cursors = Vec::new();
    for room in [&gone, &stays] {
        let said = say(&replica, &ada, room, "first").await;
        mark(&replica, &bob, room, &said).await;
        are(&replica, &ada, room, &[("ada", &said), ("bob", &said)]).await;
        cursors.push(said);
    }
    let path = format!("/v1/rooms/{gone}");
    let deleted = call(&replica, &ada, Method::DELETE, &path, &Value::Null).await;
    assert_eq!(deleted.status(), 204);
    eventually("its markers are gone", async || (of(&gone).await == 0).then_some(())).await;
    let putter = Putter::new(&setup);
    putter.mark("bob", &gone, &cursors[0], &json!({}));
    putter.mark("eve", &stays, &cursors[1], &json!({}));
    eventually("what came behind it is stored", async || (of(&stays).await == 3).then_some(()))
        .await;
    assert_eq!(of(&gone).await, 0);
    let refused = put(&replica, &bob, &gone, &cursors[0]).await;
    assert_problem(refused, 404, "unknown-room").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_a_marker_is_503_in_time_and_then_at_once() {
    let home = tempfile::tempdir().unwrap();
    let kafka = kafka::Broker::start_private(home.path()).await.unwrap();
    let setup = Setup::on(kafka.brokers(), &devstack::shared::mongodb_uri().unwrap()).await;
    let replica = setup.replica().await;
    let ada = setup.issuer.token("ada");
    let first = position(&say(&replica, &ada, "lobby", "first").await).raw();
    let last = say(&replica, &setup.issuer.token("bob"), "lobby", "last").await;
    // What is not read here yet would be waited for.
    stored(&replica, &ada, "lobby", &last).await;
    let last = position(&last).raw();
    kafka.kill().await;
    let asked = Instant::now();
    let refused = put(&replica, &ada, "lobby", &cursor_at("lobby", last)).await;
    assert!(asked.elapsed() < Duration::from_secs(9), "it took {:?}", asked.elapsed());
    assert_eq!(
        (refused.status().as_u16(), &refused.headers()["retry-after"]),
        (503, &"5".parse().unwrap())
    );
    let outcome = refused.json::<Value>().await.unwrap()["outcome"].clone();
    assert!(outcome == "not_sent" || outcome == "unknown", "{outcome}");
    let asked = Instant::now();
    let refused = put(&replica, &ada, "lobby", &cursor_at("lobby", last)).await;
    assert_problem(refused, 503, "unavailable").await;
    assert!(asked.elapsed() < Duration::from_secs(2), "it took {:?}", asked.elapsed());

    kafka.restart().await.unwrap();
    eventually("markers are taken again", async || {
        let response = put(&replica, &ada, "lobby", &cursor_at("lobby", last)).await;
        (response.status() == 200).then_some(())
    })
    .await;
    are(&replica, &ada, "lobby", &[("ada", &cursor_at("lobby", last))]).await;
    assert!(first < last);
}
