//! Stored documents that this release cannot read

use mongodb::bson::{Document, doc};
use serde_json::json;

use crate::setup::Setup;
use chat_api::message::{Cursor, Position};

/// What a later release, or somebody by hand, may have put between the messages.
fn strange(number: i64) -> Vec<(&'static str, Document)> {
    let id = |kind: &str| format!("019ab1c4-7a10-7c3e-9d55-{number:04x}{kind:0>8}");
    vec![
        ("deleted", doc! { "_id": id("1"), "deleted": true }),
        ("empty", doc! { "_id": id("2"), "content": "", "user_id": "u", "user_name": "U" }),
        ("kind", doc! { "_id": id("3"), "type": "pin", "ref": id("1") }),
        ("id", doc! { "_id": number, "content": "private words" }),
        ("hash", doc! { "_id": id("5"), "body_hash": "private", "content": "private words" }),
        // Its place, as a shell may write a number.
        ("place", doc! { "_id": id("6"), "pos": 10.0, "content": "private words" }),
    ]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_that_cannot_be_read_is_left_out_and_hides_nothing() {
    let setup = Setup::new().await;
    // A ring that holds nothing: what is resumed is the archive's.
    let replica = setup.replica_with(|config| config.ring_bytes = 1).await;
    let token = setup.issuer.token("ada");
    let mut last = json!(null);
    for number in 0..12 {
        last = replica.say(&token, &number.to_string()).await;
    }
    replica.includes(&token, last["cursor"].as_str().unwrap()).await;
    let messages = setup.collection("messages").await;
    let home = Setup::lobby_partition();
    // Each takes the place of a message, as a record of its kind would have.
    for (index, (_, document)) in strange(1).into_iter().enumerate() {
        let position = i64::try_from(index).unwrap() * 2;
        messages.delete_one(doc! { "pos": position }).await.unwrap();
        let mut whole = doc! {
            "room_id": "lobby", "partition": home.number(), "pos": position,
            "timestamp": mongodb::bson::DateTime::now(),
        };
        whole.extend(document);
        messages.insert_one(whole).await.unwrap();
    }
    let expected = ["1", "3", "5", "7", "9", "11"];
    let page = replica.history(&token, 6).await;
    let contents: Vec<&str> = page.iter().map(|said| said["content"].as_str().unwrap()).collect();
    assert_eq!(contents, expected);

    let oldest = Cursor { partition: home, position: Position::BEFORE_ALL };
    let mut socket = replica.socket(&token).await;
    let (events, resumed) = socket.subscribe(Some(&oldest.to_string())).await;
    let contents: Vec<_> = events.iter().map(|event| &event["event"]["content"]).collect();
    assert_eq!(contents, expected, "a resume passes them over");
    assert_eq!(resumed["upto"], last["cursor"]);

    // Pages that are full of them lead on to the next ones.
    let mut next = Some("/v1/messages?limit=1".to_owned());
    let mut walked = Vec::new();
    while let Some(path) = next {
        let page = replica.get(&token, &path).await;
        assert_eq!(page.status(), 200);
        next = page.headers().get("link").map(|link| {
            let link = link.to_str().unwrap();
            link[1..link.find('>').unwrap()].to_owned()
        });
        let said: Vec<serde_json::Value> = page.json().await.unwrap();
        walked.extend(said.iter().map(|said| said["content"].as_str().unwrap().to_owned()));
    }
    walked.reverse();
    assert_eq!(walked, expected);

    let one = replica.get(&token, "/v1/messages/019ab1c4-7a10-7c3e-9d55-000100000001").await;
    assert_eq!(one.status(), 404, "what cannot be read is not there");
    let metrics = replica.metrics().await;
    for field in ["user_id", "content", "type", "_id", "body_hash"] {
        let series = format!("chat_unreadable_documents_total{{field=\"{field}\"}} ");
        let count = metrics.lines().find_map(|line| line.strip_prefix(&series));
        assert!(count.is_some_and(|count| count != "0"), "{metrics}");
    }
    assert!(!metrics.contains("private"));
}
