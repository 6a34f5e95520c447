//! Rooms that become known to a replica.

use std::num::NonZeroU32;
use std::time::Duration;

use chat_api::message::Visibility;
use chat_api::rate::Rate;
use chat_api::rooms::Command;
use devstack::kafka;
use devstack::mongodb::ReplicaSet;
use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use serde_json::json;
use tokio::time::timeout;

use super::{beginning, has_read, say, words};
use crate::setup::archive::archive_detail;
use crate::setup::changer::{Changer, person};
use crate::setup::program::run;
use crate::setup::records::Putter;
use crate::setup::{Setup, assert_problem, eventually};

/// Counts how often a room is loaded out of the archive of a test, as the database saw it.
struct Loads(mongodb::Database);

impl Loads {
    /// Counts from now on.
    async fn of(setup: &Setup) -> Self {
        let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
        let database = client.database(&setup.database);
        // The archive reads them too, in the transactions that decide.
        let filter = doc! {
            "op": "query",
            "ns": format!("{}.rooms", setup.database),
            "command.autocommit": { "$exists": false },
        };
        database.run_command(doc! { "profile": 1, "filter": filter }).await.unwrap();
        Self(database)
    }

    async fn count(&self) -> u64 {
        let profile = self.0.collection::<Document>("system.profile");
        profile.count_documents(doc! {}).await.unwrap()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_many_ask_at_once_a_room_is_loaded_once() {
    let setup = Setup::new().await;
    let changer = Changer::made(&setup, "attic", Visibility::Group, &["bob"]).await;
    let before = setup.replica().await;
    has_read(&before, &setup.issuer.token("ada"), &changer).await;
    let (fresh, loads) = (setup.replica().await, Loads::of(&setup).await);
    let token = setup.issuer.token("bob");
    let ask = || async { fresh.get(&token, "/v1/rooms/attic").await.status().as_u16() };
    let answers = join_all((0..300).map(|_| ask())).await;
    // As many as there are connections for read at once; all of them were let in.
    assert!(answers.iter().all(|status| [200, 503].contains(status)), "{answers:?}");
    assert!(answers.contains(&200));
    assert_eq!(loads.count().await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn callers_who_go_while_a_room_is_loaded_hold_nobody_up() {
    let setup = Setup::new().await;
    let changer = Changer::made(&setup, "attic", Visibility::Group, &["bob"]).await;
    let before = setup.replica().await;
    has_read(&before, &setup.issuer.token("ada"), &changer).await;
    let (fresh, token) = (setup.replica().await, setup.issuer.token("bob"));
    let gone = (0..300_u64).map(|number| {
        let request = fresh.get(&token, "/v1/rooms/attic");
        // Before it is sent, while the room is read, and after.
        async move { timeout(Duration::from_micros(number * 50), request).await.is_err() }
    });
    let gone = join_all(gone).await.into_iter().filter(|is_gone| *is_gone).count();
    assert!(gone > 0);
    assert_eq!(fresh.get(&token, "/v1/rooms/attic").await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_that_one_person_asks_for_are_charged_as_reads() {
    let setup = Setup::new().await;
    let few = |number| NonZeroU32::new(number).unwrap();
    let rate = Rate { per_second: few(1), burst: few(20) };
    let replica = setup.replica_with(|config| config.reads = rate).await;
    let token = setup.issuer.token("ada");
    let mut answers = Vec::new();
    for number in 0..100 {
        let body = json!({ "content": "x", "room_id": format!("room-{number}") });
        let answer = replica.post(&token, &body).send().await.unwrap();
        answers.push(answer.status().as_u16());
    }
    let refused = answers.iter().filter(|status| **status == 429).count();
    assert!(answers.iter().all(|status| [404, 429].contains(status)), "{answers:?}");
    // One comes back each second.
    assert!((20..=80).contains(&refused), "{refused}");
    // Others are not hurt.
    let answer = replica.get(&setup.issuer.token("bob"), "/v1/messages?room_id=other").await;
    assert_problem(answer, 404, "unknown-room").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_asks_for_more_than_it_may_gets_all_of_it_in_time() {
    let setup = Setup::new().await;
    let few = |number| NonZeroU32::new(number).unwrap();
    let rate = Rate { per_second: few(2), burst: few(3) };
    let mut rooms = Vec::new();
    for number in 0..12 {
        let room = format!("room-{number}");
        rooms.push(Changer::made(&setup, &room, Visibility::Group, &[]).await.room.to_string());
    }
    let replica = setup.replica_with(|config| config.reads = rate).await;
    let mut socket = replica.socket(&setup.issuer.token("ada")).await;
    let wanted: serde_json::Map<_, _> =
        rooms.iter().map(|room| (room.clone(), json!(null))).collect();
    socket.send(&json!({ "type": "subscribe", "rooms": wanted })).await;
    let (mut resumed, mut behind) = (Vec::new(), Vec::new());
    while resumed.len() < rooms.len() {
        let frame = socket.next().await;
        let room = frame["room_id"].as_str().unwrap().to_owned();
        match frame["type"].as_str() {
            Some("resumed") => resumed.push(room),
            Some("behind") => behind.push(room),
            _ => panic!("{frame}"),
        }
    }
    resumed.sort();
    rooms.sort();
    assert_eq!(resumed, rooms);
    let told = behind.len();
    behind.sort();
    behind.dedup();
    assert!(told > 0 && behind.len() == told, "each is told once: {behind:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_was_left_while_it_was_loaded_is_not_heard() {
    let setup = Setup::new().await;
    let changer = Changer::made(&setup, "attic", Visibility::Group, &[]).await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    for _ in 0..20 {
        socket.send(&json!({ "type": "subscribe", "rooms": { "attic": null } })).await;
        socket.send(&json!({ "type": "unsubscribe", "rooms": ["attic"] })).await;
    }
    // Heard is whatever was wanted last.
    let mut other = replica.socket(&token).await;
    other.subscribe_to("attic", None).await;
    let putter = Putter::new(&setup);
    putter.say(&changer.room, "hello");
    putter.flush();
    assert_eq!(super::heard(&mut other, 1).await, ["hello"]);
    socket.send(&json!({ "type": "ping" })).await;
    loop {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("resumed") => {}
            Some("pong") => break,
            _ => panic!("{frame}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn rooms_beyond_the_memory_for_them_are_let_go_and_loaded_again() {
    let setup = Setup::new().await;
    let mut rooms = Vec::new();
    for number in 0..40 {
        rooms.push(Changer::made(&setup, &format!("room-{number}"), Visibility::Group, &[]).await);
    }
    // Memory for about two rooms of each partition.
    let replica = setup.replica_with(|config| config.args.hub.chat_rooms_bytes = 4_000).await;
    let loads = Loads::of(&setup).await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe_to("room-0", None).await;
    for _ in 0..2 {
        for changer in &rooms {
            say(&replica, &token, changer.room.as_str(), "hello").await;
        }
    }
    let loads = loads.count().await;
    assert!(loads > 60, "{loads}");
    assert_eq!(super::heard(&mut socket, 2).await, ["hello", "hello"], "what is heard stays");
}

#[tokio::test(flavor = "multi_thread")]
async fn while_the_archive_is_behind_what_is_kept_a_room_is_behind_and_comes_later() {
    let setup = Setup::new().await;
    let mut changer = Changer::made(&setup, "attic", Visibility::Group, &[]).await;
    // The archive waits before whatever comes now.
    let before = setup.replica().await;
    has_read(&before, &setup.issuer.token("ada"), &changer).await;
    let room = changer.room.clone();
    let putter = Putter::new(&setup);
    putter.of_later(&room, "poll", &json!({}));
    putter.flush();
    changer.change("ada", &Command::Invite(person("bob"))).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));

    // One that keeps the invitation knows of it.
    let knows = setup.replica().await;
    eventually("the invitation is read", async || {
        let body = json!({ "content": "hello", "room_id": "attic" });
        (knows.post(&bob, &body).send().await.unwrap().status() == 202).then_some(())
    })
    .await;
    // One that does not waits for the archive.
    let forgets = setup.replica_with(|config| config.ring_bytes = 1).await;
    changer.change("ada", &Command::Invite(person("cid"))).await;
    eventually("the second one is kept alone", async || {
        let answer = forgets.get(&ada, "/v1/messages?room_id=attic").await;
        (answer.status() == 503).then_some(())
    })
    .await;
    let refused = forgets.post(&bob, &json!({ "content": "x", "room_id": "attic" }));
    assert_problem(refused.send().await.unwrap(), 503, "behind").await;
    let mut socket = forgets.socket(&bob).await;
    socket.send(&json!({ "type": "subscribe", "rooms": { "attic": beginning("attic") } })).await;
    assert_eq!(socket.expect("behind").await["room_id"], "attic");
    // The lobby is there whatever the archive does.
    forgets.say(&ada, "in the lobby").await;
    eventually("one of them says why the archive waits", async || {
        let waits = archive_detail(&before).await;
        let waits = waits.or(archive_detail(&knows).await);
        let waits = waits.or(archive_detail(&forgets).await);
        waits.filter(|detail| detail.contains("a later release wrote it"))
    })
    .await;
    let home = changer.partition.to_string();
    let poll = changer.told[0].0.position.next().offset().to_string();
    let (code, _, log) = run(&setup, &["dlq", "take", &home, &poll]).await;
    assert_eq!(code, Some(0), "{log}");
    let mut heard = Vec::new();
    while heard.len() < 4 {
        let frame = socket.next().await;
        match frame["type"].as_str() {
            Some("event") => heard.push(words(&frame)),
            Some("behind" | "resumed") => {}
            _ => panic!("{frame}"),
        }
    }
    assert_eq!(heard, ["create", "invite bob", "hello", "invite cid"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_mongodb_rooms_that_are_known_go_on_and_others_wait() {
    let home = tempfile::tempdir().unwrap();
    let kafka = kafka::Broker::start_private(home.path()).await.unwrap();
    let mongodb = ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(kafka.brokers(), mongodb.uri()).await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut known = Changer::made(&setup, "known", Visibility::Group, &["bob"]).await;
    let other = Changer::made(&setup, "other", Visibility::Group, &["bob"]).await;
    has_read(&replica, &ada, &known).await;
    let mut socket = replica.socket(&bob).await;
    socket.subscribe_to("known", None).await;

    mongodb.freeze();
    say(&replica, &ada, "known", "during").await;
    assert_eq!(super::heard(&mut socket, 1).await, ["during"]);
    let refused = replica.post(&ada, &json!({ "content": "x", "room_id": "other" })).send().await;
    let refused = refused.unwrap();
    assert_eq!(refused.headers()["retry-after"], "5");
    let problem = assert_problem(refused, 503, "history-unavailable").await;
    assert_eq!(problem["outcome"], "not_sent");
    // What is decided does not need it either.
    known.change("ada", &Command::Remove(person("bob"))).await;
    assert_eq!(super::heard(&mut socket, 1).await, ["remove bob"]);
    mongodb.thaw();
    has_read(&replica, &ada, &other).await;
    say(&replica, &ada, "other", "after").await;
}
