//! Replicas that are killed, and a broker that is away

use std::time::Instant;

use serde_json::json;

use super::{FAST, SILENT, fast, fast_replica};
use crate::setup::program::{Alone, serve, terminate};
use crate::setup::socket::{Socket, request_at};
use crate::setup::{HANG, Setup, eventually};

/// A socket at the program in a process of its own.
async fn socket(address: std::net::SocketAddr, token: &str) -> Socket {
    let mut request = request_at(address);
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let mut socket =
        eventually("it serves", async || Socket::open(request.clone()).await.ok()).await;
    socket.expect("ready").await;
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn the_people_of_a_killed_replica_are_offline_in_time_unless_they_are_elsewhere() {
    let setup = Setup::new().await;
    let (ada, bob, cleo) =
        (setup.issuer.token("ada"), setup.issuer.token("bob"), setup.issuer.token("cleo"));
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (mut command, address) = serve(&setup);
    let command = command.envs(FAST).stderr(std::process::Stdio::null());
    let mut killed = command.spawn().unwrap();
    let (mut at_one, mut at_two) = (one.socket(&ada).await, two.socket(&bob).await);
    at_one.subscribe(None).await;
    at_two.subscribe(None).await;
    let _gone = socket(address, &cleo).await;
    let _elsewhere_too = socket(address, &ada).await;
    for watcher in [&mut at_one, &mut at_two] {
        watcher.counts(3).await;
    }

    killed.kill().await.unwrap();
    let silent = Instant::now();
    for watcher in [&mut at_one, &mut at_two] {
        watcher.counts(2).await;
        assert!(silent.elapsed() < SILENT, "after {:?}", silent.elapsed());
    }
    for replica in [&one, &two] {
        replica.has_online(&bob, &["ada", "bob"]).await;
    }
    let _back = one.socket(&cleo).await;
    at_two.counts(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_is_killed_and_begins_anew_under_its_name_has_only_its_new_people() {
    let setup = Setup::new().await;
    let watching = fast_replica(&setup).await;
    let bob = setup.issuer.token("bob");
    let _bob = watching.socket(&bob).await;
    for name in ["cleo", "dora", "eve"] {
        let (mut command, address) = serve(&setup);
        command.envs(FAST).env("CHAT_REPLICA", "chat-api-0").stderr(std::process::Stdio::null());
        let mut child = command.spawn().unwrap();
        let _socket = socket(address, &setup.issuer.token(name)).await;
        watching.has_online(&bob, &["bob", name]).await;
        child.kill().await.unwrap();
    }
    watching.has_online(&bob, &["bob"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_replica_that_leaves_in_order_has_its_people_for_the_grace_alone() {
    let setup = Setup::new().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    // Snapshots are far apart: by its silence nobody would notice in this test.
    let slow = |config: &mut chat_api::config::Config| {
        fast(config);
        config.args.presence.chat_presence_snapshot = 60;
    };
    let (leaving, staying) = (setup.replica_with(slow).await, setup.replica_with(slow).await);
    let mut watcher = staying.socket(&bob).await;
    watcher.subscribe(None).await;
    let _ada = leaving.socket(&ada).await;
    watcher.counts(2).await;
    let left = Instant::now();
    leaving.stop().await;
    watcher.counts(1).await;
    assert!(left.elapsed() < HANG, "after {:?}", left.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_is_told_to_stop_says_goodbye() {
    let setup = Setup::new().await;
    let bob = setup.issuer.token("bob");
    let watching = fast_replica(&setup).await;
    let mut watcher = watching.socket(&bob).await;
    watcher.subscribe(None).await;
    let (mut command, address) = serve(&setup);
    command.envs(FAST).env("CHAT_PRESENCE_SNAPSHOT", "60").env("CHAT_DRAIN_PAUSE", "0");
    let child = command.stderr(std::process::Stdio::null()).spawn().unwrap();
    let _ada = socket(address, &setup.issuer.token("ada")).await;
    watcher.counts(2).await;
    terminate(child.id().unwrap());
    watcher.counts(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_broker_is_away_sockets_stay_and_afterwards_everybody_is_online_again() {
    let home = tempfile::tempdir().unwrap();
    let kafka = devstack::kafka::Broker::start_private(home.path()).await.unwrap();
    let setup = Setup::on(kafka.brokers(), &devstack::shared::mongodb_uri().unwrap()).await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (mut at_one, mut at_two) = (one.socket(&ada).await, two.socket(&bob).await);
    at_one.subscribe(None).await;
    at_two.subscribe(None).await;
    for watcher in [&mut at_one, &mut at_two] {
        watcher.counts(2).await;
    }

    kafka.kill().await;
    // Each is alone with its own people, and says so.
    at_one.counts(1).await;
    at_two.counts(1).await;
    for _ in 0..100 {
        at_one.send(&json!({ "type": "typing", "room_id": "lobby" })).await;
    }
    at_one.send(&json!({ "type": "ping" })).await;
    at_one.expect("pong").await;
    assert_eq!(one.online(&ada, 50).await, ["ada"]);

    kafka.restart().await.unwrap();
    for watcher in [&mut at_one, &mut at_two] {
        watcher.counts(2).await;
    }
    eventually("sends are taken again", async || {
        let sent = one.post(&ada, &json!({ "content": "after" })).send().await.unwrap();
        (sent.status() == 202).then_some(())
    })
    .await;
    at_two.expect("event").await;
    eventually("typing is told again", async || {
        at_one.send(&json!({ "type": "typing", "room_id": "lobby" })).await;
        let waits = std::time::Duration::from_secs(1);
        tokio::time::timeout(waits, at_two.until("typing")).await.ok()
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_its_topics_a_replica_serves_and_counts_when_they_are_made() {
    let setup = Setup::new().await;
    for topic in [setup.log.presence(), setup.log.ephemeral()] {
        crate::setup::records::delete_topic(&setup, &topic).await;
    }
    let replica = fast_replica(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut watcher = replica.socket(&ada).await;
    watcher.subscribe(None).await;
    replica.say(&ada, "all the same").await;
    watcher.expect("event").await;
    assert_eq!(replica.online(&ada, 50).await, ["ada"]);

    let topics = chat_api::kafka::Topics::new(&setup.log, crate::setup::SHAPE).unwrap();
    eventually("the topics are there", async || topics.ensure().await.ok()).await;
    let other = fast_replica(&setup).await;
    let _bob = other.socket(&bob).await;
    watcher.counts(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_replica_tells_and_hears_is_counted() {
    let setup = Setup::new().await;
    let alone = Alone::with(&setup, &FAST);
    let other = fast_replica(&setup).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (mut one, mut two) = (socket(alone.address, &ada).await, other.socket(&bob).await);
    two.subscribe(None).await;
    for _ in 0..3 {
        one.send(&json!({ "type": "typing", "room_id": "lobby" })).await;
    }
    two.until("typing").await;
    alone
        .shows(&[
            "chat_online{who=\"signed_in\"} 2",
            "chat_online{who=\"guests\"} 0",
            "chat_presence_peers 1",
            "chat_typing_signs_total{outcome=\"sent\"} 1",
            "chat_typing_signs_total{outcome=\"too_often\"} 2",
            "chat_ephemeral_records_total{topic=\"ephemeral\",outcome=\"written\"} 1",
            "chat_ephemeral_read_total{topic=\"ephemeral\",outcome=\"applied\"} 1",
        ])
        .await;
    let shown = alone.metrics().await.unwrap();
    for name in [
        "chat_ephemeral_records_total{topic=\"presence\",outcome=\"written\"} ",
        "chat_ephemeral_read_total{topic=\"presence\",outcome=\"applied\"} ",
        "chat_ephemeral_read_total{topic=\"presence\",outcome=\"own\"} ",
        "chat_ephemeral_bytes_total{topic=\"presence\",direction=\"out\"} ",
        "chat_ephemeral_bytes_total{topic=\"presence\",direction=\"in\"} ",
    ] {
        let line = shown.lines().find_map(|line| line.strip_prefix(name));
        assert!(line.is_some_and(|value| value.parse::<u64>().unwrap() > 0), "{name}");
    }
}
