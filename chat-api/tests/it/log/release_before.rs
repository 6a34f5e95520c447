//! What the release before this one wrote (commit 1ca2aec), read by this one; and what this one writes.
//!
//! The files were made by that program: records and documents of six messages. The documents stand
//! there twice, for people and as the bytes that MongoDB holds.

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use crate::setup::archive::{archive_detail, progress};
use crate::setup::records::{Putter, held, records};
use crate::setup::{Setup, eventually};

const COUNT: usize = 6;

fn old_records() -> Vec<Value> {
    serde_json::from_str(include_str!("../../fixtures/records.json")).unwrap()
}

/// The stored documents of a collection.
fn old_documents(collection: &str) -> Vec<Document> {
    let all: Value = serde_json::from_str(include_str!("../../fixtures/documents.json")).unwrap();
    let document = |written: &Value| {
        let hex = written["bson"].as_str().unwrap().as_bytes();
        let byte =
            |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
        let bytes: Vec<u8> = hex.chunks(2).map(byte).collect();
        Document::from_reader(&bytes[..]).unwrap()
    };
    all[collection].as_array().unwrap().iter().map(document).collect()
}

fn value(record: &Value) -> Value {
    serde_json::from_str(record["value"].as_str().unwrap()).unwrap()
}

fn contents() -> Vec<String> {
    old_records()
        .iter()
        .map(|record| value(record)["content"].as_str().unwrap().to_owned())
        .collect()
}

/// The names of the fields of a document, with their types.
fn shape(document: &Document) -> Vec<(String, String)> {
    document
        .iter()
        .map(|(name, value)| (name.clone(), format!("{:?}", value.element_type())))
        .collect()
}

async fn stored(setup: &Setup) -> Vec<Document> {
    let messages = setup.collection("messages").await;
    messages.find(doc! {}).sort(doc! { "pos": 1 }).await.unwrap().try_collect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_records_of_the_release_before_are_heard_and_stored_as_it_stored_them() {
    let setup = Setup::new().await;
    let putter = Putter::new(&setup);
    for record in old_records() {
        let (key, value) = (record["key"].as_str().unwrap(), record["value"].as_str().unwrap());
        putter.put(Setup::lobby_partition(), Some(key.as_bytes()), Some(value.as_bytes()));
    }
    putter.flush();
    let replica = setup.replica().await;
    assert_eq!(setup.stored_count(COUNT).await, contents());
    // Field by field, type by type, value by value.
    assert_eq!(stored(&setup).await, old_documents("messages"));
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
    assert_eq!(archive_detail(&replica).await, None);

    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    let oldest = chat_api::message::Cursor {
        partition: Setup::lobby_partition(),
        position: chat_api::message::Position::BEFORE_ALL,
    };
    let (events, _) = socket.subscribe(Some(&oldest.to_string())).await;
    for (event, record) in events.iter().zip(old_records()) {
        assert_eq!(event["event"], value(&record), "what is heard is what was written");
    }
    assert_eq!(events.len(), COUNT);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_archive_of_the_release_before_is_served_and_gone_on_with() {
    let setup = Setup::new().await;
    let putter = Putter::new(&setup);
    for record in old_records() {
        let (key, value) = (record["key"].as_str().unwrap(), record["value"].as_str().unwrap());
        putter.put(Setup::lobby_partition(), Some(key.as_bytes()), Some(value.as_bytes()));
    }
    putter.flush();
    for name in ["messages", "progress", "generations"] {
        setup.collection(name).await.insert_many(old_documents(name)).await.unwrap();
    }
    // A ring that holds nothing: what is resumed is the archive's.
    let replica = setup.replica_with(|config| config.ring_bytes = 1).await;
    let token = setup.issuer.token("ada");
    let page = replica.history(&token, COUNT).await;
    let said: Vec<&str> = page.iter().map(|message| message["content"].as_str().unwrap()).collect();
    assert_eq!(said, contents());
    for (message, record) in page.iter().zip(old_records()) {
        let record = value(&record);
        for field in ["message_id", "room_id", "user_id", "user_name", "content", "timestamp"] {
            assert_eq!(message[field], record[field]);
        }
    }
    let oldest = chat_api::message::Cursor {
        partition: Setup::lobby_partition(),
        position: chat_api::message::Position::BEFORE_ALL,
    };
    let (events, _) = replica.socket(&token).await.subscribe(Some(&oldest.to_string())).await;
    let heard: Vec<_> = events.iter().map(|event| event["event"].clone()).collect();
    assert_eq!(heard, old_records().iter().map(value).collect::<Vec<_>>());

    // A key that was used then is known now.
    let key = |content: &str| replica.post(&token, &json!({ "content": content }));
    let again = key("under the key first").header("Idempotency-Key", "first").send().await.unwrap();
    assert_eq!(again.status(), 202);
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["message_id"], value(&old_records()[2])["message_id"]);
    replica.say(&token, "and on").await;
    assert_eq!(setup.stored_count(COUNT + 1).await.last().unwrap(), "and on");
    eventually("progress goes on", async || {
        (progress(&setup, Setup::lobby_partition()).await >= Some(6)).then_some(())
    })
    .await;
    assert_eq!(held(&setup, &setup.log.dead_letters()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_written_today_is_of_the_shape_that_the_release_before_reads() {
    let setup = Setup::new().await;
    let replica =
        setup.replica_with(|config| config.args.chat_replica = Some("one".to_owned())).await;
    let token = setup.issuer.token("ada");
    replica.say(&token, "plain").await;
    let keyed = replica.post(&token, &json!({ "content": "keyed" }));
    assert_eq!(keyed.header("Idempotency-Key", "first").send().await.unwrap().status(), 202);
    setup.stored_count(2).await;
    let log = records(&setup, &setup.log.messages(), 2).await;
    let stored = stored(&setup).await;
    // The first and the third of then: one without a key, one with.
    for ((record, document), old) in log.iter().zip(&stored).zip([0, 2]) {
        let (then, old_record) = (&old_documents("messages")[old], &old_records()[old]);
        let now: Value = serde_json::from_slice(record.value.as_deref().unwrap()).unwrap();
        let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&now), names(&value(old_record)));
        assert_eq!((&now["v"], &now["type"]), (&json!(1), &json!("message")));
        assert_eq!(record.key.as_deref(), Some(&b"lobby"[..]));
        assert_eq!(record.headers["origin"], "one");
        assert_eq!(shape(document), shape(then));
    }
}
