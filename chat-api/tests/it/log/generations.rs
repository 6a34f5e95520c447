//! A topic that was made anew, and the generation after it

use serde_json::{Value, json};

use crate::setup::archive::archive_detail;
use crate::setup::program::run;
use crate::setup::records::delete_topic;
use crate::setup::{PARTITIONS, Setup, eventually};

async fn raise(setup: &Setup, generation: &str) -> (Option<i32>, String) {
    let partitions = PARTITIONS.to_string();
    let shape = ["--kafka-partitions", &partitions, "--kafka-replication-factor", "1"];
    let arguments =
        [&["topics", "raise", generation, "--kafka-min-insync-replicas", "1"], &shape[..]].concat();
    let (code, _, log) = run(setup, &arguments).await;
    (code, log)
}

fn contents(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"]["content"].as_str().unwrap()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_topic_was_made_anew_what_is_said_is_newest_and_every_cursor_goes_on() {
    let mut setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let replica = setup.replica().await;
    let mut said = Vec::new();
    for number in 0..5 {
        said.push(replica.say(&token, &format!("old {number}")).await);
    }
    setup.stored_count(5).await;
    replica.stop().await;
    setup.make_log_anew().await;
    let (code, log) = raise(&setup, "1").await;
    assert_eq!(code, Some(0), "{log}");

    let replica = setup.replica().await;
    // Before anything is said: what is stored can be had, and nothing has stopped.
    let cursor = said[2]["cursor"].as_str().unwrap().to_owned();
    let (events, _) = replica.socket(&token).await.subscribe(Some(&cursor)).await;
    assert_eq!(contents(&events), ["old 3", "old 4"]);
    let mut listener = replica.socket(&token).await;
    listener.subscribe(said[4]["cursor"].as_str()).await;
    for number in 0..3 {
        said.push(replica.say(&token, &format!("new {number}")).await);
    }
    assert_eq!(listener.contents(3).await, ["new 0", "new 1", "new 2"]);
    let expected = ["old 0", "old 1", "old 2", "old 3", "old 4", "new 0", "new 1", "new 2"];
    assert_eq!(setup.stored_count(8).await, expected);
    let history = replica.history(&token, 8).await;
    let read: Vec<&str> = history.iter().map(|said| said["content"].as_str().unwrap()).collect();
    assert_eq!(read, expected);
    let cursors: Vec<_> = history.iter().map(|said| &said["cursor"]).collect();
    assert_eq!(cursors, said.iter().map(|said| &said["cursor"]).collect::<Vec<_>>());
    let (events, _) = replica.socket(&token).await.subscribe(Some(&cursor)).await;
    assert_eq!(contents(&events), expected[3..]);
    let after = format!("/v1/messages?after={}", said[4]["cursor"].as_str().unwrap());
    let page: Vec<Value> = replica.get(&token, &after).await.json().await.unwrap();
    assert_eq!(page.len(), 3);
    assert_eq!(archive_detail(&replica).await, None);

    // A restart goes on where it was; a dead letter's place is one of the new topic.
    replica.stop().await;
    let replica = setup.replica().await;
    replica.say(&token, "new 3").await;
    assert_eq!(setup.stored_count(9).await.last().unwrap(), "new 3");
    let (code, text, _) = run(&setup, &["archive", "rebuild"]).await;
    assert_eq!(code, Some(0), "{text}");
    assert!(text.contains("4 records from 0 to 4, 0 were missing"), "{text}");
    replica.stop().await;
    setup.log.generation = 1;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_generation_is_raised_while_nobody_appends_to_the_one_before_and_never_falls() {
    let mut setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let replica = setup.replica().await;
    replica.say(&token, "old").await;
    setup.stored_count(1).await;
    let refused = eventually("the group has its member", async || {
        let (code, log) = raise(&setup, "1").await;
        (code == Some(1)).then_some(log)
    })
    .await;
    assert!(refused.contains("stop every replica"), "{refused}");
    replica.stop().await;
    for (number, code) in [("0", 64), ("x", 64), ("40000", 64), ("1", 0), ("1", 1)] {
        let (found, log) = raise(&setup, number).await;
        assert_eq!(found, Some(code), "{number}: {log}");
    }
    let replica = setup.replica().await;
    replica.say(&token, "new").await;
    assert_eq!(setup.stored_count(2).await, ["old", "new"]);
    replica.stop().await;

    // All topics are lost, and the first one is made anew.
    setup.log.generation = 1;
    delete_topic(&setup, &setup.log.messages()).await;
    eventually("the topic is gone", async || {
        let newest = tokio::task::block_in_place(|| setup.log.clone().newest()).unwrap();
        (newest.generation == 0).then_some(())
    })
    .await;
    let (mut command, _) = crate::setup::program::serve(&setup);
    let (code, error) = crate::setup::program::finish(command.spawn().unwrap()).await;
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("`chat-api topics raise 2`"), "{error}");
    let (code, log) = raise(&setup, "2").await;
    assert_eq!(code, Some(0), "{log}");
    let replica = setup.replica().await;
    replica.say(&token, "newest").await;
    assert_eq!(setup.stored_count(3).await, ["old", "new", "newest"]);
    assert_eq!(replica.readiness().await["ready"], json!(true));
    replica.stop().await;
    setup.log.generation = 2;
}
