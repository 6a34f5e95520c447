//! Servers of a test's own that go away

use std::time::{Duration, Instant};

use serde_json::json;

use crate::setup::{Setup, assert_problem, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn without_a_broker_a_send_is_503_in_time_and_the_rest_goes_on() {
    let home = tempfile::tempdir().unwrap();
    let kafka = devstack::kafka::Server::start_private(home.path()).await.unwrap();
    let setup = Setup::on(kafka.brokers(), &devstack::shared::mongodb_uri().unwrap()).await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    replica.say(&token, "before").await;
    replica.history(&token, 1).await;
    let mut socket = replica.socket(&token).await;

    kafka.kill().await;
    let asked = Instant::now();
    let response = replica.post(&token, &json!({ "content": "lost?" })).send().await.unwrap();
    let took = asked.elapsed();
    assert!(response.headers().contains_key("retry-after"));
    let problem = assert_problem(response, 503, "unknown-outcome").await;
    assert_eq!(problem["outcome"], "unknown");
    assert!(problem["message_id"].is_string());
    assert!(took < Duration::from_secs(9), "the promise is 5 s and linger; it took {took:?}");
    socket.send(&json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "x" })).await;
    assert_eq!(socket.expect("nack").await["code"], "unknown-outcome");
    assert_eq!(replica.history(&token, 1).await.len(), 1, "history is the archive's");
    assert_eq!(replica.http.get(replica.url("/v1/readyz")).send().await.unwrap().status(), 200);

    kafka.restart().await.unwrap();
    eventually("sends are taken again", async || {
        let response = replica.post(&token, &json!({ "content": "after" })).send().await.unwrap();
        (response.status() == 202).then_some(())
    })
    .await;
    eventually("and stored", async || {
        setup.stored().await.contains(&"after".to_owned()).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_archive_is_away_people_talk_on_and_it_is_filled_afterwards() {
    let home = tempfile::tempdir().unwrap();
    let mongodb = devstack::mongodb::Server::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    replica.say(&token, "0").await;
    setup.stored_count(1).await;
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;

    mongodb.kill().await;
    let mut said = vec!["0".to_owned()];
    for number in 1..40 {
        replica.say(&token, &number.to_string()).await;
        said.push(number.to_string());
    }
    assert_eq!(socket.contents(39).await, said[1..]);
    assert_problem(replica.get(&token, "/v1/messages").await, 503, "history-unavailable").await;
    assert_eq!(replica.http.get(replica.url("/v1/readyz")).send().await.unwrap().status(), 200);

    mongodb.restart().await.unwrap();
    assert_eq!(setup.stored_count(40).await, said);
    assert_eq!(replica.history(&token, 40).await.len(), 40);
}
