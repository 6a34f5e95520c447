//! What tests do to the archive, and what it says of itself.

use chat_api::message::Partition;
use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::setup::{Replica, Setup, eventually};

/// Has MongoDB refuse a content.
pub(crate) async fn refuse(setup: &Setup, content: Option<&str>) {
    let validator =
        content.map_or_else(|| doc! {}, |content| doc! { "content": { "$ne": content } });
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let command = doc! { "collMod": "messages", "validator": validator };
    client.database(&setup.database).run_command(command).await.unwrap();
}

/// What `/ready` says of the archive, which does not make the replica unready.
pub(crate) async fn archive_detail(replica: &Replica) -> Option<String> {
    let report = replica.readiness().await;
    assert_eq!(report["ready"], json!(true), "what is served does not need it");
    report["conditions"]["archive"]["detail"].as_str().map(str::to_owned)
}

/// Waits until the archive says that it waits for a later release at these places.
pub(crate) async fn waits_at(replica: &Replica, setup: &Setup, places: &[(Partition, i64)]) {
    eventually("the archive says what it waits for", async || {
        let detail = archive_detail(replica).await?;
        assert!(detail.starts_with("stopped: ") && !detail.contains("words"), "{detail}");
        let says = |(partition, offset): &(Partition, i64)| {
            let place = format!("{} partition {partition} offset {offset}: ", setup.log.messages());
            detail.contains(&format!("{place}a later release wrote it"))
        };
        places.iter().all(says).then_some(())
    })
    .await;
}

pub(crate) async fn progress(setup: &Setup, partition: Partition) -> Option<i64> {
    let query = doc! { "partition": partition.number() };
    let found: Option<Document> = setup.collection("progress").await.find_one(query).await.unwrap();
    found.map(|found| found.get_i64("pos").unwrap())
}

/// They are made beside what is served.
pub(crate) async fn indexes_are_there(setup: &Setup) {
    let messages = setup.collection("messages").await;
    eventually("the indexes are there", async || {
        let names = messages.list_index_names().await.ok()?;
        (names == ["_id_", "room_pos_user", "room_timestamp"]).then_some(())
    })
    .await;
}
