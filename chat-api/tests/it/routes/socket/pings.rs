//! Whom the server takes for dead

use std::time::Duration;

use serde_json::json;

use crate::setup::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn a_client_whose_pongs_are_not_read_because_of_its_sends_is_not_taken_for_dead() {
    let home = tempfile::tempdir().unwrap();
    let kafka = devstack::kafka::Broker::start_private(home.path()).await.unwrap();
    let setup = Setup::on(kafka.brokers(), &devstack::shared::mongodb_uri().unwrap()).await;
    let replica = setup
        .replica_with(|config| {
            config.timeouts.ping_every = Duration::from_millis(100);
            config.timeouts.pong_within = Duration::from_millis(500);
        })
        .await;
    let token = setup.issuer.token("ada");
    replica.say(&token, "before").await;
    let mut socket = replica.socket(&token).await;
    kafka.freeze();
    // More than may be without an answer: nothing is read until the log gives up, after five seconds.
    for number in 0..40 {
        let reference = number.to_string();
        socket
            .send(&json!({ "type": "send", "ref": reference, "room_id": "lobby", "content": "x" }))
            .await;
    }
    // Reading answers the pings.
    for _ in 0..40 {
        socket.expect("nack").await;
    }
    kafka.thaw();
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}
