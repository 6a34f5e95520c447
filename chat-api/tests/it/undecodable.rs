//! Records that cannot be read, and progress that is not in the log

use mongodb::bson::doc;
use serde_json::Value;

use crate::setup::{Replica, Setup, eventually};

async fn unready(replica: &Replica) -> Value {
    eventually("both readers stopped", async || {
        let report = replica.readiness().await;
        let stopped = |name: &str| {
            report["conditions"][name]["detail"].as_str().is_some_and(|d| d.starts_with("stopped"))
        };
        (stopped("fan_out") && stopped("archive")).then_some(report)
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn an_undecodable_record_stops_its_partition_and_readiness_names_it() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    replica.say(&token, "before").await;
    assert_eq!(socket.contents(1).await, ["before"]);
    setup.put_foreign(Setup::lobby_partition(), "lobby", "private words");

    let report = unready(&replica).await;
    assert_eq!(report["ready"], false);
    let place = format!("{} partition {} offset 1", setup.log.messages(), Setup::lobby_partition());
    for reader in ["fan_out", "archive"] {
        let detail = report["conditions"][reader]["detail"].as_str().unwrap();
        assert!(detail.contains(&place), "{detail}");
        assert!(!detail.contains("private"), "{detail}");
    }
    let public = replica.http.get(replica.url("/v1/readyz")).send().await.unwrap();
    assert_eq!(public.status(), 503);

    // What comes after is taken, and waits behind it: nothing is skipped.
    replica.say(&token, "after").await;
    let mut late = replica.socket(&token).await;
    late.subscribe(None).await;
    late.send(&serde_json::json!({ "type": "ping" })).await;
    late.expect("pong").await;
    assert_eq!(setup.stored().await, ["before"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_restart_it_still_stops_there() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let replica = setup.replica().await;
    replica.say(&token, "before").await;
    setup.stored_count(1).await;
    setup.put_foreign(Setup::lobby_partition(), "elsewhere", r#"{"v":1}"#);
    unready(&replica).await;
    replica.stop().await;
    let replica = Replica::start(setup.config()).await;
    unready(&replica).await;
    let history: Vec<Value> = replica.get(&token, "/v1/messages").await.json().await.unwrap();
    assert_eq!(history.len(), 1, "the rest of the service answers");
}

#[tokio::test(flavor = "multi_thread")]
async fn other_partitions_go_on() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let elsewhere = (Setup::lobby_partition().number() + 1) % 3;
    let elsewhere = chat_api::message::Partition::from_number(elsewhere).unwrap();
    setup.put_foreign(elsewhere, "lobby", "nonsense");
    unready(&replica).await;
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    replica.say(&token, "still here").await;
    assert_eq!(socket.contents(1).await, ["still here"]);
    assert_eq!(setup.stored_count(1).await, ["still here"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn progress_beyond_the_log_stops_the_partition_instead_of_skipping() {
    let setup = Setup::new().await;
    setup.replica().await.stop().await;
    // As when a topic was made anew under an archive that goes on.
    let progress = setup.collection("progress").await;
    let partition = Setup::lobby_partition().number();
    let ahead =
        doc! { "_id": format!("g0-p{partition}"), "g": 0, "partition": partition, "pos": 9_i64 };
    progress.insert_one(ahead).await.unwrap();
    let replica = Replica::start(setup.config()).await;
    let detail = eventually("the archive says where it stands", async || {
        let report = replica.readiness().await;
        let detail = report["conditions"]["archive"]["detail"].as_str()?;
        detail.starts_with("stopped").then(|| detail.to_owned())
    })
    .await;
    let place = format!("{} partition {partition} offset 10", setup.log.messages());
    assert!(detail.contains(&place) && detail.contains("holds 0 to 0"), "{detail}");
}
