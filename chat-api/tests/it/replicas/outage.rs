//! Servers of a test's own that go away

use std::process::ExitCode;
use std::time::{Duration, Instant};

use devstack::{kafka, mongodb};
use serde_json::json;
use tempfile::TempDir;

use crate::setup::socket::Socket;
use crate::setup::{Replica, Setup, assert_problem, eventually};

/// The promise is 5 s and linger.
const GIVEN_UP: Duration = Duration::from_secs(9);
/// An append that is handed over in an outage takes seconds to end. This one was not.
const AT_ONCE: Duration = Duration::from_secs(2);

/// Sends are refused without being tried, and everything else goes on.
async fn sends_are_refused_at_once(replica: &Replica, token: &str) {
    let mut socket = replica.socket(token).await;
    for _ in 0..5 {
        let asked = Instant::now();
        let response = replica.post(token, &json!({ "content": "x" })).send().await.unwrap();
        assert_eq!(response.headers()["retry-after"], "5");
        let problem = assert_problem(response, 503, "unavailable").await;
        assert_eq!(problem["outcome"], "not_sent");
        let send = json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "x" });
        socket.send(&send).await;
        assert_eq!(socket.expect("nack").await["code"], "unavailable");
        assert!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
    }
    assert_eq!(replica.history(token, 1).await.len(), 1, "history is the archive's");
    assert_eq!(replica.http.get(replica.url("/v1/readyz")).send().await.unwrap().status(), 200);
}

async fn on_a_broker_of_its_own(home: &TempDir) -> (kafka::Broker, Setup) {
    let kafka = kafka::Broker::start_private(home.path()).await.unwrap();
    let setup = Setup::on(kafka.brokers(), &devstack::shared::mongodb_uri().unwrap()).await;
    (kafka, setup)
}

async fn on_servers_of_its_own(home: &TempDir) -> (kafka::Broker, mongodb::ReplicaSet, Setup) {
    let kafka = kafka::Broker::start_private(home.path()).await.unwrap();
    let mongodb = mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(kafka.brokers(), mongodb.uri()).await;
    (kafka, mongodb, setup)
}

/// Somebody who said something that is stored, and has a socket.
async fn visit(setup: &Setup) -> (Replica, String, Socket) {
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let cursor = replica.say(&token, "before").await["cursor"].clone();
    replica.includes(&token, cursor.as_str().unwrap()).await;
    let socket = replica.socket(&token).await;
    (replica, token, socket)
}

async fn sends_are_taken_again(replica: &Replica, token: &str) {
    eventually("sends are taken again", async || {
        let response = replica.post(token, &json!({ "content": "after" })).send().await.unwrap();
        (response.status() == 202).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_a_send_is_503_in_time_and_the_rest_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let (kafka, setup) = on_a_broker_of_its_own(&home).await;
    let (replica, token, mut socket) = visit(&setup).await;

    kafka.kill().await;
    let asked = Instant::now();
    let response = replica.post(&token, &json!({ "content": "lost?" })).send().await.unwrap();
    let took = asked.elapsed();
    assert!(response.headers().contains_key("retry-after"));
    let problem: serde_json::Value = response.json().await.unwrap();
    // Whether it was on its way already when the broker died, nobody can tell beforehand.
    let may_be_sent = problem["message_id"].is_string();
    let (name, outcome) =
        if may_be_sent { ("unknown-outcome", "unknown") } else { ("not-sent", "not_sent") };
    assert_eq!(problem["type"], format!("urn:problem-type:chat:{name}"), "{problem}");
    assert_eq!(problem["outcome"], outcome);
    assert!(took < GIVEN_UP, "it took {took:?}");
    sends_are_refused_at_once(&replica, &token).await;

    kafka.restart().await.unwrap();
    sends_are_taken_again(&replica, &token).await;
    eventually("and stored", async || {
        setup.stored().await.contains(&"after".to_owned()).then_some(())
    })
    .await;
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frozen_broker_costs_one_send_its_time_and_a_retry_with_the_key_settles_it() {
    let home = tempfile::tempdir().unwrap();
    let (kafka, setup) = on_a_broker_of_its_own(&home).await;
    let (replica, token, mut socket) = visit(&setup).await;
    socket.subscribe(None).await;
    let keyed = || {
        let request = replica.post(&token, &json!({ "content": "once" }));
        request.header("idempotency-key", "k").send()
    };

    kafka.freeze();
    let asked = Instant::now();
    let response = keyed().await.unwrap();
    let took = asked.elapsed();
    let problem = assert_problem(response, 503, "unknown-outcome").await;
    assert_eq!(problem["outcome"], "unknown");
    assert!(took < GIVEN_UP, "it took {took:?}");
    sends_are_refused_at_once(&replica, &token).await;

    kafka.thaw();
    let accepted: serde_json::Value = eventually("the retry is taken", async || {
        let response = keyed().await.unwrap();
        if response.status() == 202 { Some(response.json().await.unwrap()) } else { None }
    })
    .await;
    assert_eq!(accepted["message_id"], problem["message_id"]);
    let path = format!("/v1/messages/{}", accepted["message_id"].as_str().unwrap());
    eventually("it is stored", async || {
        (replica.get(&token, &path).await.status() == 200).then_some(())
    })
    .await;
    sends_are_taken_again(&replica, &token).await;
    assert_eq!(socket.contents(2).await, ["once", "after"], "the socket stayed, and heard it once");
    assert_eq!(setup.stored_count(3).await, ["before", "once", "after"]);
}

/// The reader's last commit is under way, and nobody will ever answer it.
#[tokio::test(flavor = "multi_thread")]
async fn a_replica_stops_in_order_although_its_broker_was_lost_with_a_commit() {
    let home = tempfile::tempdir().unwrap();
    let (kafka, mongodb, setup) = on_servers_of_its_own(&home).await;
    let (replica, token, mut socket) = visit(&setup).await;
    socket.subscribe(None).await;

    mongodb.freeze();
    replica.say(&token, "stored when Kafka is frozen").await;
    assert_eq!(socket.contents(1).await, ["stored when Kafka is frozen"]);
    kafka.freeze();
    mongodb.thaw();
    setup.stored_count(2).await;
    assert_eq!(replica.stop().await, ExitCode::SUCCESS);
}

/// Nothing is read on for as long as MongoDB is away. The group takes the share of the silent reader
/// meanwhile, and gives it back.
#[tokio::test(flavor = "multi_thread")]
async fn what_was_given_up_unstored_is_stored_by_the_reader_it_comes_back_to() {
    let home = tempfile::tempdir().unwrap();
    let (kafka, mongodb, setup) = on_servers_of_its_own(&home).await;
    let (replica, token, _) = visit(&setup).await;
    let lag = async |records: usize| {
        let partition = Setup::lobby_partition();
        let line = format!("chat_archive_lag_records{{partition=\"{partition}\"}} {records}\n");
        eventually(&line, async || replica.metrics().await.contains(&line).then_some(())).await;
    };

    mongodb.kill().await;
    replica.say(&token, "while MongoDB is away").await;
    lag(1).await;
    kafka.freeze();
    lag(0).await;
    kafka.thaw();
    mongodb.restart().await.unwrap();
    assert_eq!(setup.stored_count(2).await, ["before", "while MongoDB is away"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_archive_is_away_people_talk_on_and_it_is_filled_afterwards() {
    let home = tempfile::tempdir().unwrap();
    let mongodb = mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let said = replica.say(&token, "0").await;
    // What is stored need not be read by the fan-out: whoever listened too early would hear it.
    replica.includes(&token, said["cursor"].as_str().unwrap()).await;
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;

    mongodb.kill().await;
    let mut said = vec!["0".to_owned()];
    for number in 1..40 {
        replica.say(&token, &number.to_string()).await;
        said.push(number.to_string());
    }
    // Whether a key was used before cannot be looked up now; the message is taken all the same.
    let request = replica.post(&token, &json!({ "content": "40" }));
    let response = request.header("idempotency-key", "k").send().await.unwrap();
    assert_eq!(response.status(), 202);
    said.push("40".to_owned());
    assert_eq!(socket.contents(40).await, said[1..]);
    assert_problem(replica.get(&token, "/v1/messages").await, 503, "history-unavailable").await;
    let accepted: serde_json::Value = response.json().await.unwrap();
    let request = replica.http.get(replica.url("/v1/messages")).bearer_auth(&token);
    let request = request.header("x-after", accepted["cursor"].as_str().unwrap());
    assert_problem(request.send().await.unwrap(), 503, "history-unavailable").await;
    assert_eq!(replica.http.get(replica.url("/v1/readyz")).send().await.unwrap().status(), 200);

    mongodb.restart().await.unwrap();
    assert_eq!(setup.stored_count(41).await, said);
    assert_eq!(replica.history(&token, 41).await.len(), 41);
}

/// Sends and sockets need the log alone, so a replica may begin in an outage of the archive.
#[tokio::test(flavor = "multi_thread")]
async fn without_the_archive_a_replica_begins_and_fills_it_when_it_is_there() {
    let home = tempfile::tempdir().unwrap();
    let mongodb = mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let token = setup.issuer.token("ada");
    let mut said = Vec::new();
    // Away, and there without an answer.
    mongodb.kill().await;
    for _ in 0..2 {
        let replica = setup.replica().await;
        let mut socket = replica.socket(&token).await;
        socket.subscribe(None).await;
        let content = said.len().to_string();
        replica.say(&token, &content).await;
        said.push(content);
        assert_eq!(socket.contents(1).await, said[said.len() - 1..]);
        let response = replica.get(&token, "/v1/messages").await;
        assert_problem(response, 503, "history-unavailable").await;
        if said.len() == 1 {
            assert_eq!(replica.stop().await, ExitCode::SUCCESS, "it stops as well");
            mongodb.restart().await.unwrap();
            mongodb.freeze();
            continue;
        }
        mongodb.thaw();
        assert_eq!(setup.stored_count(2).await, said);
        assert_eq!(replica.history(&token, 2).await.len(), 2);
        crate::setup::archive::indexes_are_there(&setup).await;
    }
}
