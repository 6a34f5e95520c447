//! What a replica knows when it starts

use super::fast_replica;
use crate::setup::Setup;

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_starts_knows_at_once_who_is_online_elsewhere() {
    let setup = Setup::new().await;
    // The others tell everything once in a minute: what is known before was read back.
    let slow = |config: &mut chat_api::config::Config| {
        config.args.presence.chat_presence_snapshot = 60;
    };
    let (one, two) = (setup.replica_with(slow).await, setup.replica_with(slow).await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (_ada, _bob) = (one.socket(&ada).await, two.socket(&bob).await);
    one.has_online(&ada, &["ada", "bob"]).await;

    let late = setup.replica_with(slow).await;
    assert_eq!(late.online(&ada, 50).await, ["ada", "bob"]);
    let mut socket = late.socket(&setup.issuer.token("cleo")).await;
    socket.subscribe(None).await;
    let mut other = late.socket(&setup.issuer.token("dora")).await;
    other.send(&serde_json::json!({ "type": "subscribe", "rooms": { "lobby": null } })).await;
    assert_eq!(other.until("counts").await["signed_in"], 4, "who subscribes is told at once");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_was_cut_off_is_read_on_from_its_end() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let _ada = one.socket(&ada).await;
    two.has_online(&bob, &["ada"]).await;
    let mut stays = two.socket(&bob).await;
    stays.subscribe(None).await;
    crate::setup::records::delete_topic(&setup, &setup.log.presence()).await;
    crate::setup::eventually("the topic is there again", async || {
        let topics = chat_api::kafka::Topics::new(&setup.log, crate::setup::SHAPE).unwrap();
        topics.ensure().await.ok()
    })
    .await;
    let _cleo = one.socket(&setup.issuer.token("cleo")).await;
    two.has_online(&bob, &["ada", "bob", "cleo"]).await;
    stays.send(&serde_json::json!({ "type": "ping" })).await;
    stays.expect("pong").await;
}
