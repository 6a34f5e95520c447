//! Records of a release to come, read by this one

use mongodb::bson::doc;
use serde_json::{Value, json};

use crate::setup::archive::{archive_detail, progress, waits_at};
use crate::setup::program::run;
use crate::setup::records::{Putter, held, partitioner, rooms};
use crate::setup::{Setup, assert_problem, eventually};
use chat_api::message::RoomId;

#[tokio::test(flavor = "multi_thread")]
async fn a_record_of_a_later_release_holds_its_partition_alone_and_is_no_dead_letter() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    replica.say(&token, "before").await;
    let (putter, lobby, home) = (Putter::new(&setup), RoomId::lobby(), Setup::lobby_partition());
    putter.of_later(&lobby, "poll", &json!({ "ref": "x" }));
    putter.of_later(&lobby, "message", &json!({ "v": 2, "content": { "text": "later words" } }));
    putter.flush();
    replica.say(&token, "after").await;
    assert_eq!(socket.contents(2).await, ["before", "after"], "live it is passed over");

    waits_at(&replica, &setup, &[(home, 1)]).await;
    for room in rooms().iter().filter(|room| partitioner().of(room) != home) {
        putter.say(room, "elsewhere");
    }
    putter.flush();
    let messages = setup.collection("messages").await;
    eventually("other partitions go on", async || {
        let query = doc! { "content": "elsewhere" };
        (messages.count_documents(query).await.unwrap() == 2).then_some(())
    })
    .await;
    assert_eq!(setup.stored().await, ["before"]);
    assert_eq!(replica.history(&token, 1).await.len(), 1, "the history is served");

    // Whoever takes the partition next begins there.
    replica.stop().await;
    let replica = setup.replica().await;
    waits_at(&replica, &setup, &[(home, 1)]).await;
    assert_eq!((progress(&setup, home).await, setup.stored().await.len()), (Some(0), 1));
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nobody_will_ever_understand_is_taken_by_an_operator() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let (putter, lobby, home) = (Putter::new(&setup), RoomId::lobby(), Setup::lobby_partition());
    putter.of_later(&lobby, "poll", &json!({}));
    putter.flush();
    replica.say(&token, "between").await;
    putter.of_later(&lobby, "quiz", &json!({}));
    putter.flush();
    replica.say(&token, "after").await;
    waits_at(&replica, &setup, &[(home, 0)]).await;

    let home = home.to_string();
    for (offset, said) in [("1", "not there"), ("2", "not there")] {
        let (code, _, log) = run(&setup, &["dlq", "take", &home, offset]).await;
        assert!(code == Some(1) && log.contains(said), "{log}");
        assert!(log.contains(&format!("{home}:0")), "it says where the archive is: {log}");
    }
    for wrong in [["7", "0"], ["-1", "0"], ["0", "x"]] {
        let (code, _, log) = run(&setup, &["dlq", "take", wrong[0], wrong[1]]).await;
        assert!(code != Some(0) && !log.is_empty(), "{wrong:?}: {log}");
    }
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
    let (code, text, log) = run(&setup, &["dlq", "take", &home, "0"]).await;
    assert_eq!(
        (code, text.contains(&format!("{home}:0 is a dead letter now"))),
        (Some(0), true),
        "{log}"
    );
    assert_eq!(setup.stored_count(1).await, ["between"], "it goes on by itself, to the next one");
    waits_at(&replica, &setup, &[(Setup::lobby_partition(), 2)]).await;
    let (code, _, log) = run(&setup, &["dlq", "take", &home, "1"]).await;
    assert!(code == Some(1) && log.contains(&format!("{home}:2")), "{log}");
    let (code, _, log) = run(&setup, &["dlq", "take", &home, "2"]).await;
    assert_eq!(code, Some(0), "{log}");
    assert_eq!(setup.stored_count(2).await, ["between", "after"]);
    eventually("nothing is stopped", async || {
        archive_detail(&replica).await.is_none().then_some(())
    })
    .await;
    eventually("progress is at the end", async || {
        (progress(&setup, Setup::lobby_partition()).await == Some(3)).then_some(())
    })
    .await;
    let (code, _, log) = run(&setup, &["dlq", "take", &home, "3"]).await;
    assert!(code == Some(1) && log.contains("has everything"), "{log}");
    let (code, text, log) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(0), "what was taken waits for nobody: {log}");
    assert!(!text.contains("later release"), "{text}");

    let (_, text, _) = run(&setup, &["dlq", "list", "--json"]).await;
    let rows: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.len(), 2, "{text}");
    assert_eq!(
        rows[0]["reason"],
        "taken by an operator: a later release wrote it (type poll, version 1)"
    );
    let (code, text, _) = run(&setup, &["dlq", "replay", "--all"]).await;
    assert_eq!(code, Some(1));
    assert!(text.contains(&format!("{home}:0 stays: a later release wrote it")), "{text}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rebuild_says_what_a_later_release_wrote_and_that_it_waits() {
    let setup = Setup::new().await;
    let putter = Putter::new(&setup);
    putter.say(&RoomId::lobby(), "before");
    putter.of_later(&RoomId::lobby(), "poll", &json!({}));
    putter.flush();
    let (code, text, log) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(1), "{log}");
    assert!(text.contains(", 1 were missing, 1 of a later release wait for it\n"), "{text}");
    assert!(log.contains("1 partitions stay stopped"), "{log}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_critical_record_of_a_later_release_unloads_its_room_and_no_other() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let said = replica.say(&token, "before").await;
    let cursor = said["cursor"].as_str().unwrap();
    setup.stored_count(1).await;
    let mut listener = replica.socket(&token).await;
    listener.subscribe(Some(cursor)).await;
    let putter = Putter::new(&setup);
    putter.of_later(&RoomId::lobby(), "member", &json!({ "critical": true }));
    putter.say(&RoomId::lobby(), "said elsewhere");
    putter.flush();
    let behind = listener.expect("behind").await;
    assert_eq!(behind["room_id"], "lobby");
    assert!(behind["retry"].as_u64().unwrap() > 0);

    assert_problem(
        replica.post(&token, &json!({ "content": "x" })).send().await.unwrap(),
        503,
        "behind",
    )
    .await;
    let refused = replica.get(&token, "/v1/messages").await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_problem(refused, 503, "behind").await;
    let id = said["message_id"].as_str().unwrap();
    assert_problem(replica.get(&token, &format!("/v1/messages/{id}")).await, 503, "behind").await;
    listener.send(&json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "x" })).await;
    assert_eq!(listener.expect("nack").await["code"], "behind", "and was told nothing more before");
    let mut late = replica.socket(&token).await;
    late.send(&json!({ "type": "subscribe", "rooms": { "lobby": cursor } })).await;
    late.expect("behind").await;
    assert!(replica.metrics().await.contains("chat_unloaded_rooms"));

    waits_at(&replica, &setup, &[(Setup::lobby_partition(), 1)]).await;
    assert_eq!(replica.stop().await, std::process::ExitCode::SUCCESS);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_in_the_log_changes_who_may_be_in_the_lobby() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut listener = replica.socket(&token).await;
    listener.subscribe(None).await;
    let never = json!({ "room": -1, "actor": -1, "subject": -1 });
    let ban = json!({ "critical": true, "on": never, "act": "ban", "subject": "ada" });
    let putter = Putter::new(&setup);
    putter.of_later(&RoomId::lobby(), "member", &ban);
    putter.say(&RoomId::lobby(), "after");
    putter.flush();
    assert_eq!(listener.expect("event").await["event"]["content"], "after");
    replica.say(&token, "still here").await;
    assert_eq!(listener.expect("event").await["event"]["content"], "still here");
    assert_eq!(setup.stored_count(2).await, ["after", "still here"]);
    assert_eq!(archive_detail(&replica).await, None);
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}
