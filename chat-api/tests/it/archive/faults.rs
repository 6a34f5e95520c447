//! What the archive goes through: MongoDB away, frozen or put back, readers killed, joining and
//! leaving

use std::process::Stdio;
use std::time::Duration;

use futures_util::TryStreamExt as _;
use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::setup::program::{Alone, program, run};
use crate::setup::records::{Putter, Reader, cut, held, rooms};
use crate::setup::{Replica, Setup, eventually};
use chat_api::message::RoomId;

async fn stored_in(setup: &Setup, room: &RoomId) -> Vec<String> {
    let messages = setup.collection("messages").await;
    let query = doc! { "room_id": room.as_str() };
    let found = messages.find(query).sort(doc! { "pos": 1 }).await.unwrap();
    let documents: Vec<Document> = found.try_collect().await.unwrap();
    documents.iter().map(|document| document.get_str("content").unwrap().to_owned()).collect()
}

async fn count(setup: &Setup) -> usize {
    let messages = setup.collection("messages").await;
    usize::try_from(messages.count_documents(doc! {}).await.unwrap()).unwrap()
}

async fn documents(setup: &Setup, name: &str) -> Vec<Document> {
    let found = setup.collection(name).await.find(doc! {}).await.unwrap();
    found.try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_happens_to_mongodb_messages_are_late_and_never_lost_or_doubled() {
    let home = tempfile::tempdir().unwrap();
    let mongodb = devstack::mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut said = Vec::new();
    let say = async |said: &mut Vec<String>| {
        for _ in 0..20 {
            let content = said.len().to_string();
            replica.say(&token, &content).await;
            said.push(content);
        }
    };
    say(&mut said).await;
    mongodb.freeze();
    say(&mut said).await;
    mongodb.thaw();
    say(&mut said).await;
    assert_eq!(setup.stored_count(60).await, said, "after it was frozen");
    mongodb.kill().await;
    say(&mut said).await;
    mongodb.restart().await.unwrap();
    say(&mut said).await;
    assert_eq!(setup.stored_count(100).await, said, "after it was killed");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_lag_is_shown_while_nothing_can_be_written() {
    let home = tempfile::tempdir().unwrap();
    let mongodb = devstack::mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let alone = Alone::start(&setup);
    let (home, putter) = (Setup::lobby_partition(), Putter::new(&setup));
    let lag = async |records: usize| {
        let line = format!("chat_archive_lag_records{{partition=\"{home}\"}} {records}");
        alone.shows(&[&line]).await;
    };
    lag(0).await;
    // It is zero before the archive knows of a record, too. Once it has fallen, the archive has MongoDB's answer.
    mongodb.freeze();
    putter.say(&RoomId::lobby(), "before");
    putter.flush();
    lag(1).await;
    mongodb.thaw();
    lag(0).await;

    mongodb.freeze();
    (0..50).for_each(|number| putter.say(&RoomId::lobby(), &number.to_string()));
    putter.flush();
    lag(50).await;
    mongodb.thaw();
    setup.stored_count(51).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_that_is_killed_in_the_middle_loses_and_doubles_nothing() {
    // At once: each of them waits until the group has given the killed reader up.
    let lives = join_all((0..5).map(killed_at)).await;
    assert!(lives.iter().any(|in_the_middle| *in_the_middle), "none was killed in the middle");
}

/// Whether it was killed before it was through.
async fn killed_at(number: usize) -> bool {
    const SAID: usize = 20_000;
    let setup = Setup::new().await;
    let putter = Putter::new(&setup);
    let mut said: Vec<_> = (0..SAID).map(|number| number.to_string()).collect();
    for content in &said {
        putter.say(&RoomId::lobby(), content);
    }
    putter.flush();
    let mut child = program(&setup)
        .arg("serve")
        .env("CHAT_LISTEN", "127.0.0.1:0")
        .env("ADMIN_LISTEN", "127.0.0.1:0")
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    // However fast it is, there is more to come.
    let talk = async {
        loop {
            said.push(said.len().to_string());
            putter.say(&RoomId::lobby(), &said[said.len() - 1]);
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    };
    let begun =
        eventually("it has begun", async || (count(&setup).await > number * 3_000).then_some(()));
    tokio::select! {
        () = talk => {}
        () = begun => {}
    }
    child.kill().await.unwrap();
    putter.flush();
    let at_its_death = count(&setup).await;

    let reader = Reader::start(&setup).await;
    eventually("all is stored", async || (count(&setup).await >= said.len()).then_some(())).await;
    reader.stop().await;
    assert_eq!(stored_in(&setup, &RoomId::lobby()).await, said);
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
    at_its_death < said.len()
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_join_and_leave_lose_and_double_nothing_and_keep_the_order() {
    const SAID: usize = 2_000;
    let setup = Setup::new().await;
    let steady = Reader::start(&setup).await;
    let (rooms, putter) = (rooms(), Putter::new(&setup));
    let talk = async {
        for number in 0..SAID {
            putter.say(&rooms[number % rooms.len()], &number.to_string());
            // The talk is to last as long as the storm.
            tokio::time::sleep(Duration::from_millis(3)).await;
        }
        putter.flush();
    };
    let storm = async {
        for _ in 0..5 {
            let (one, two) = (Reader::start(&setup).await, Reader::start(&setup).await);
            // A guest that has something to do.
            let before = count(&setup).await;
            eventually("somebody stores", async || {
                let now = count(&setup).await;
                (now > before || now == SAID).then_some(())
            })
            .await;
            tokio::join!(one.stop(), two.stop());
        }
    };
    tokio::join!(talk, storm);
    eventually("all is stored", async || (count(&setup).await >= SAID).then_some(())).await;
    steady.stop().await;
    for (index, room) in rooms.iter().enumerate() {
        let said = (index..SAID).step_by(rooms.len()).map(|number| number.to_string());
        assert_eq!(stored_in(&setup, room).await, said.collect::<Vec<_>>());
    }
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_that_is_put_back_beside_a_running_reader_is_filled_up_from_the_log() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut said = Vec::new();
    let say = async |said: &mut Vec<String>, count: usize| {
        for _ in 0..count {
            let content = said.len().to_string();
            replica.say(&token, &content).await;
            said.push(content);
        }
    };
    say(&mut said, 10).await;
    progress_at(&setup, 9).await;
    let backup = (documents(&setup, "messages").await, documents(&setup, "progress").await);
    say(&mut said, 10).await;
    progress_at(&setup, 19).await;

    put_back(&setup, &backup).await;
    // Nobody has to say anything for it to be noticed.
    assert_eq!(setup.stored_count(20).await, said);
    progress_at(&setup, 19).await;

    put_back(&setup, &backup).await;
    // What is said right away must not carry progress over the gap.
    say(&mut said, 1).await;
    assert_eq!(setup.stored_count(21).await, said);
    progress_at(&setup, 20).await;

    // No progress at all, as after a loss of everything.
    put_back(&setup, &(Vec::new(), Vec::new())).await;
    say(&mut said, 1).await;
    assert_eq!(setup.stored_count(22).await, said);
}

async fn put_back(setup: &Setup, (messages, progress): &(Vec<Document>, Vec<Document>)) {
    for (name, documents) in [("progress", progress), ("messages", messages)] {
        let collection = setup.collection(name).await;
        collection.delete_many(doc! {}).await.unwrap();
        if !documents.is_empty() {
            collection.insert_many(documents).await.unwrap();
        }
    }
}

async fn progress_at(setup: &Setup, position: i64) {
    let progress = setup.collection("progress").await;
    eventually("progress is there", async || {
        let query = doc! { "partition": Setup::lobby_partition().number(), "pos": position };
        progress.find_one(query).await.unwrap()
    })
    .await;
}

async fn stopped(replica: &Replica) -> String {
    eventually("the archive says where it stands", async || {
        let report = replica.readiness().await;
        assert_eq!(report["ready"], json!(true), "what is served does not need it");
        let detail = report["conditions"]["archive"]["detail"].as_str()?;
        detail.starts_with("stopped").then(|| detail.to_owned())
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_beyond_the_log_stops_its_partition_until_somebody_decides() {
    let setup = Setup::new().await;
    setup.replica().await.stop().await;
    // As when a topic was made anew under an archive that goes on.
    let progress = setup.collection("progress").await;
    let partition = Setup::lobby_partition().number();
    let ahead =
        doc! { "_id": format!("g0-p{partition}"), "g": 0, "partition": partition, "pos": 9_i64 };
    progress.delete_many(doc! {}).await.unwrap();
    progress.insert_one(ahead).await.unwrap();
    let replica = setup.replica().await;
    let detail = stopped(&replica).await;
    let place = format!("{} partition {partition} offset 10", setup.log.messages());
    assert!(detail.contains(&place) && detail.contains("holds 0 to 0"), "{detail}");

    // A log that grows past that place was not read for that.
    let putter = Putter::new(&setup);
    for number in 0..20 {
        for room in rooms() {
            putter.say(&room, &number.to_string());
        }
    }
    putter.flush();
    let others = async |count| {
        eventually("other partitions go on", async || {
            let (mut all, home) = (0, Setup::lobby_partition());
            for room in rooms() {
                let stored = stored_in(&setup, &room).await.len();
                let is_held = crate::setup::records::partitioner().of(&room) == home;
                assert!(!is_held || stored == 0, "it was passed over");
                all += stored;
            }
            (all == count).then_some(())
        })
        .await;
    };
    others(40).await;
    replica.stop().await;
    let replica = setup.replica().await;
    stopped(&replica).await;
    others(40).await;

    let home = partition.to_string();
    let (code, _, log) = run(&setup, &["dlq", "take", &home, "0"]).await;
    assert!(code == Some(1) && log.contains("lies outside the log"), "{log}");
    let (code, text, log) = run(&setup, &["archive", "rebuild"]).await;
    assert!(code == Some(1) && log.contains("1 partitions stay stopped"), "{log}");
    let line = format!("partition {partition}: 20 records from 0 to 20, 20 were missing");
    assert!(text.contains(&line) && text.contains("--reset-progress"), "{text}");
    stopped(&replica).await;
    let (code, text, _) = run(&setup, &["archive", "rebuild", "--reset-progress"]).await;
    assert_eq!(code, Some(0));
    assert!(text.contains(", 0 were missing") && text.contains("progress begins"), "{text}");
    progress_at(&setup, 19).await;
    eventually("it goes on", async || {
        let report = replica.readiness().await;
        report["conditions"]["archive"]["detail"].is_null().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_backup_older_than_the_log_stops_its_partition() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for number in 0..10 {
        replica.say(&token, &number.to_string()).await;
    }
    progress_at(&setup, 9).await;
    cut(&setup, Setup::lobby_partition(), 5).await;
    let progress = setup.collection("progress").await;
    let query = doc! { "partition": Setup::lobby_partition().number() };
    progress.update_one(query, doc! { "$set": { "pos": 2_i64 } }).await.unwrap();
    let detail = stopped(&replica).await;
    assert!(detail.contains("offset 3") && detail.contains("holds 5 to 10"), "{detail}");
    replica.say(&token, "waits").await;

    let (code, text, _) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(1));
    assert!(text.contains("offsets 3 to 4 are lost: the log let them go"), "{text}");
    let (code, text, _) = run(&setup, &["archive", "rebuild", "--reset-progress"]).await;
    assert_eq!(code, Some(0));
    assert!(text.contains("offsets 3 to 4 are lost: the log let them go"), "{text}");
    assert!(setup.stored_count(11).await.contains(&"waits".to_owned()));
    progress_at(&setup, 10).await;
}
