//! Several replicas, and one after another

mod outage;

use std::process::ExitCode;

use serde_json::json;

use crate::setup::{Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn replicas_hear_each_other_and_store_everything_once() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (mut at_one, mut at_two) = (one.socket(&ada).await, two.socket(&bob).await);
    at_one.subscribe(None).await;
    at_two.subscribe(None).await;
    for number in 0..20 {
        let (replica, token) = if number % 2 == 0 { (&one, &ada) } else { (&two, &bob) };
        replica.say(token, &number.to_string()).await;
    }
    let expected: Vec<String> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(at_one.contents(20).await, expected);
    assert_eq!(at_two.contents(20).await, expected);
    assert_eq!(setup.stored_count(20).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_one_replica_goes_on_at_another() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let token = setup.issuer.token("ada");
    for round in 0..20 {
        let said = one.say(&token, &format!("seen {round}")).await;
        let mut socket = two.socket(&token).await;
        let (events, _) = socket.subscribe(said["cursor"].as_str()).await;
        assert!(events.is_empty());
        one.say(&token, &format!("missed {round}")).await;
        assert_eq!(socket.contents(1).await, [format!("missed {round}")]);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_restart_loses_nothing_and_doubles_nothing() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let mut said = Vec::new();
    for life in 0..3 {
        let replica = setup.replica().await;
        for number in 0..30 {
            let content = format!("{life}.{number}");
            replica.say(&token, &content).await;
            said.push(content);
        }
        assert_eq!(replica.stop().await, ExitCode::SUCCESS);
    }
    // Whatever the last batch left open is read again from the progress that was kept.
    let replica = setup.replica().await;
    assert_eq!(setup.stored_count(90).await, said);
    let progress = setup.collection("progress").await;
    let expected = i64::try_from(said.len()).unwrap() - 1;
    eventually("progress is at the end", async || {
        let query = mongodb::bson::doc! { "g": 0, "partition": Setup::lobby_partition().number() };
        let document = progress.find_one(query).await.unwrap()?;
        (document.get_i64("pos").unwrap() == expected).then_some(())
    })
    .await;
    assert_eq!(replica.history(&token, 90).await.len(), 90);
}

#[tokio::test(flavor = "multi_thread")]
async fn reading_the_log_again_from_further_back_changes_nothing() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let replica = setup.replica().await;
    for number in 0..10 {
        replica.say(&token, &number.to_string()).await;
    }
    let before = setup.stored_count(10).await;
    replica.stop().await;
    // As after a restore of a backup: some documents and all progress are gone.
    setup.collection("progress").await.delete_many(mongodb::bson::doc! {}).await.unwrap();
    let messages = setup.collection("messages").await;
    messages.delete_many(mongodb::bson::doc! { "pos": { "$gte": 5 } }).await.unwrap();
    let replica = setup.replica().await;
    assert_eq!(setup.stored_count(10).await, before);
    assert_eq!(replica.history(&token, 10).await.len(), 10);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_with_another_number_of_partitions_is_refused_at_the_start() {
    let setup = Setup::new().await;
    setup.replica().await.stop().await;
    let generations = setup.collection("generations").await;
    let other = mongodb::bson::doc! { "$set": { "partitions": 2_i64 } };
    generations.update_one(mongodb::bson::doc! {}, other).await.unwrap();
    let (mut command, _) = crate::setup::program::serve(&setup);
    let (code, error) = crate::setup::program::finish(command.spawn().unwrap()).await;
    assert_eq!(code, Some(1), "{error}");
    assert!(error.contains("begun with 2 partitions, the topic has 3"), "{error}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_ring_is_warm_after_a_start() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let replica = setup.replica().await;
    let first = replica.say(&token, "one").await;
    replica.say(&token, "two").await;
    replica.stop().await;
    let replica = setup.replica().await;
    let mut socket = replica.socket(&token).await;
    let (events, _) = socket.subscribe(first["cursor"].as_str()).await;
    assert_eq!(events.len(), 1);
    assert_eq!(events[0]["event"]["content"], json!("two"));
    assert_eq!(events[0]["prev"], first["cursor"], "the ring knows what came before");
}
