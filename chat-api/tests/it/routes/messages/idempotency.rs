//! Sends with a key

use std::collections::HashSet;

use futures_util::future::join_all;
use reqwest::Response;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::setup::{Replica, Setup, assert_problem};

async fn send(replica: &Replica, token: &str, content: &str, key: &str) -> Response {
    let request = replica.post(token, &json!({ "content": content }));
    request.header("idempotency-key", key).send().await.unwrap()
}

/// What the sender learns: which message it is, and where.
async fn accepted(response: Response) -> (String, String) {
    assert_eq!(response.status(), 202);
    let accepted: Value = response.json().await.unwrap();
    let text = |name: &str| accepted[name].as_str().unwrap().to_owned();
    (text("message_id"), text("cursor"))
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_sent_again_with_its_key_is_said_once_and_answered_alike() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    let first = accepted(send(&replica, &token, "once", "k-1").await).await;
    for _ in 0..3 {
        assert_eq!(accepted(send(&replica, &token, "once", "k-1").await).await, first);
    }
    let frame =
        json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "once", "key": "k-1" });
    assert_eq!(socket.contents(1).await, ["once"]);
    socket.send(&frame).await;
    let ack = socket.expect("ack").await;
    assert_eq!(
        (ack["message_id"].as_str(), ack["cursor"].as_str()),
        (Some(&*first.0), Some(&*first.1))
    );

    let other = accepted(send(&replica, &token, "twice", "k-2").await).await;
    assert_ne!(other, first);
    let anyone = accepted(send(&replica, &setup.issuer.token("bob"), "once", "k-1").await).await;
    assert!(anyone.0 != first.0, "a key is its sender's own");
    assert_eq!(socket.contents(2).await, ["twice", "once"]);
    assert_eq!(setup.stored_count(3).await, ["once", "twice", "once"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_was_used_for_something_else_is_a_conflict() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let first = accepted(send(&replica, &token, "one", "k").await).await;
    let response = send(&replica, &token, "another", "k").await;
    let problem = assert_problem(response, 409, "idempotency-conflict").await;
    assert_eq!(problem["fields"], json!(["Idempotency-Key"]));
    let mut socket = replica.socket(&token).await;
    let frame =
        json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "third", "key": "k" });
    socket.send(&frame).await;
    assert_eq!(socket.expect("nack").await["code"], "conflict");
    assert_eq!(accepted(send(&replica, &token, "one", "k").await).await, first);
    assert_eq!(setup.stored_count(1).await, ["one"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_key_at_three_replicas_at_once_is_one_message_and_one_answer() {
    let setup = Setup::new().await;
    let replicas = [setup.replica().await, setup.replica().await, setup.replica().await];
    let token = setup.issuer.token("ada");
    let mut readers = Vec::new();
    for replica in &replicas {
        let mut reader = replica.socket(&token).await;
        reader.subscribe(None).await;
        readers.push(reader);
    }
    for round in 0..5 {
        let (content, key) = (format!("round {round}"), format!("key {round}").replace(' ', "-"));
        let sends = (0..15).map(|number| send(&replicas[number % 3], &token, &content, &key));
        let answers = join_all(join_all(sends).await.into_iter().map(accepted)).await;
        assert_eq!(answers.iter().collect::<HashSet<_>>().len(), 1, "{answers:?}");
    }
    replicas[0].say(&token, "end").await;
    let expected = ["round 0", "round 1", "round 2", "round 3", "round 4", "end"];
    for reader in &mut readers {
        assert_eq!(reader.contents(6).await, expected);
    }
    assert_eq!(setup.stored_count(6).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_contents_at_once_with_one_key_one_is_said_and_the_other_told() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let token = setup.issuer.token("ada");
    for round in 0..5 {
        let key = format!("k-{round}");
        let (one, two, token, key) = (&one, &two, &token, &key);
        let sends = (0..10).map(|number| {
            let (replica, content) = if number % 2 == 0 { (one, "tea") } else { (two, "coffee") };
            async move { (content, send(replica, token, content, key).await) }
        });
        let answers = join_all(sends).await;
        let said: HashSet<&str> = answers
            .iter()
            .filter(|(_, response)| response.status() == 202)
            .map(|(content, _)| *content)
            .collect();
        assert_eq!(said.len(), 1, "{said:?}");
        for (content, response) in answers {
            if !said.contains(content) {
                assert_problem(response, 409, "idempotency-conflict").await;
            }
        }
        let stored = setup.stored_count(round + 1).await;
        assert_eq!(Some(&stored[round].as_str()), said.iter().next());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_log_told_long_ago_the_archive_remembers() {
    let setup = Setup::new().await;
    let token = setup.issuer.token("ada");
    let replica = setup.replica().await;
    let first = accepted(send(&replica, &token, "long ago", "k").await).await;
    setup.stored_count(1).await;
    replica.stop().await;
    // It begins to read at the end of the log.
    let replica = setup.replica_with(|config| config.span = 0).await;
    assert_eq!(accepted(send(&replica, &token, "long ago", "k").await).await, first);
    let response = send(&replica, &token, "another", "k").await;
    assert_problem(response, 409, "idempotency-conflict").await;
    assert_eq!(accepted(send(&replica, &token, "new", "k-2").await).await.1, next(&first.1));
}

/// The cursor directly after: nothing was appended in between.
fn next(cursor: &str) -> String {
    let cursor = chat_api::message::Cursor::parse(cursor).unwrap();
    let position = cursor.position.next();
    chat_api::message::Cursor { position, ..cursor }.to_string()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_is_none_is_refused_and_names_the_header() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let long = "k".repeat(256);
    let keys: [&[&[u8]]; 6] =
        [&[b""], &[b"a b"], &[b"a\tb"], &[b"\xfc"], &[long.as_bytes()], &[b"once", b"twice"]];
    for values in keys {
        let mut request = replica.post(&token, &json!({ "content": "hi" }));
        for value in values {
            request = request.header("idempotency-key", HeaderValue::from_bytes(value).unwrap());
        }
        let problem = assert_problem(request.send().await.unwrap(), 400, "invalid-header").await;
        assert_eq!(problem["fields"], json!(["Idempotency-Key"]), "{values:?}");
    }
    let mut socket = replica.socket(&token).await;
    for key in ["", "a b", "ü", &long] {
        let frame =
            json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "hi", "key": key });
        socket.send(&frame).await;
        assert_eq!(socket.expect("nack").await["code"], "invalid-key", "{key:?}");
    }
    assert!(setup.stored().await.is_empty());
}
