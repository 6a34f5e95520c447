//! `GET /v1/messages/{id}`, and the header `X-After`

use std::time::Duration;

use mongodb::bson::doc;
use reqwest::Response;
use serde_json::{Value, json};

use crate::setup::{Replica, Setup, assert_problem, eventually};

async fn get_after(replica: &Replica, token: &str, path: &str, after: &[&str]) -> Response {
    let request = replica.http.get(replica.url(path)).bearer_auth(token);
    let request = after.iter().fold(request, |request, cursor| request.header("x-after", *cursor));
    request.send().await.unwrap()
}

fn path(accepted: &Value) -> String {
    format!("/v1/messages/{}", accepted["message_id"].as_str().unwrap())
}

#[tokio::test(flavor = "multi_thread")]
async fn one_message_is_as_in_the_history() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let accepted = replica.say(&token, "hi").await;
    let message: Value = eventually("it was read", async || {
        let response = replica.get(&token, &path(&accepted)).await;
        if response.status() == 200 { Some(response.json().await.unwrap()) } else { None }
    })
    .await;
    assert_eq!(message["content"], "hi");
    assert_eq!(message["cursor"], accepted["cursor"]);
    assert_eq!(replica.history(&token, 1).await, [message]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_message_is_not_there() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for id in
        ["019ab1c4-7a10-7c3e-9d55-3f1f6a0b2c4d", "019AB1C4-7A10-7C3E-9D55-3F1F6A0B2C4D", "x", "%ff"]
    {
        let response = replica.get(&token, &format!("/v1/messages/{id}")).await;
        assert_problem(response, 404, "unknown-message").await;
    }
    let response = replica.http.get(replica.url("/v1/messages/x")).send().await.unwrap();
    assert_problem(response, 401, "missing-token").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_just_said_is_in_the_answer_after_its_cursor() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for number in 0..20 {
        let accepted = replica.say(&token, &number.to_string()).await;
        let cursor = accepted["cursor"].as_str().unwrap();
        let path =
            if number % 2 == 0 { "/v1/messages?limit=1".to_owned() } else { path(&accepted) };
        let response = get_after(&replica, &token, &path, &[cursor]).await;
        assert_eq!(response.status(), 200);
        let answer: Value = response.json().await.unwrap();
        let message = answer.get(0).unwrap_or(&answer);
        assert_eq!(message["content"], number.to_string());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_of_no_use_names_the_header() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let accepted = replica.say(&token, "hi").await;
    let own = accepted["cursor"].as_str().unwrap();
    let cursor = chat_api::message::Cursor::parse(own).unwrap();
    let foreign = |number| {
        let partition = chat_api::message::Partition::from_number(number).unwrap();
        chat_api::message::Cursor { partition, position: chat_api::message::Position::BEFORE_ALL }
    };
    let elsewhere = foreign((cursor.partition.number() + 1) % 3).to_string();
    let nowhere = foreign(3).to_string();
    let paths = ["/v1/messages".to_owned(), path(&accepted)];
    replica.history(&token, 1).await;
    for path in &paths {
        for after in [&[""][..], &["nonsense"], &[&*elsewhere], &[&*nowhere], &[own, own]] {
            let response = get_after(&replica, &token, path, after).await;
            let problem = assert_problem(response, 400, "invalid-header").await;
            assert_eq!(problem["fields"], json!(["X-After"]), "{after:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_archive_does_not_have_in_time_is_behind() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    // Nothing can be written to a view, and everything can be read.
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let database = client.database(&setup.database);
    let messages = setup.collection("messages").await;
    messages.drop().await.unwrap();
    let view = doc! { "create": "messages", "viewOn": "elsewhere", "pipeline": [] };
    database.run_command(view).await.unwrap();

    let mut reader = replica.socket(&token).await;
    reader.subscribe(None).await;
    let accepted = replica.say(&token, "late").await;
    let cursor = accepted["cursor"].as_str().unwrap();
    assert_eq!(reader.contents(1).await, ["late"]);
    for (path, after) in [("/v1/messages".to_owned(), &[cursor][..]), (path(&accepted), &[])] {
        let response = get_after(&replica, &token, &path, after).await;
        assert_eq!(response.headers()["retry-after"], "1");
        assert_problem(response, 503, "behind").await;
    }
    messages.drop().await.unwrap();
    let message: Value = eventually("it is stored", async || {
        let response = get_after(&replica, &token, &path(&accepted), &[cursor]).await;
        if response.status() == 200 { Some(response.json().await.unwrap()) } else { None }
    })
    .await;
    assert_eq!(message["content"], "late");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_cursor_that_only_another_replica_may_know_is_waited_for_in_vain() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let position = chat_api::message::Position::from_raw(1_000).unwrap();
    let cursor = chat_api::message::Cursor { partition: Setup::lobby_partition(), position };
    let asked = std::time::Instant::now();
    let response = get_after(&replica, &token, "/v1/messages", &[&cursor.to_string()]).await;
    assert_problem(response, 503, "behind").await;
    assert!(asked.elapsed() >= Duration::from_secs(2));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_id_may_be_asked_for_in_capitals_and_is_answered_in_its_own_form() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let id = replica.say(&token, "hi").await["message_id"].as_str().unwrap().to_owned();
    let path = |id: &str| format!("/v1/messages/{id}");
    setup.stored_count(1).await;
    let response = replica.get(&token, &path(&id.to_uppercase())).await;
    assert_eq!(response.status(), 200);
    assert_eq!(response.json::<Value>().await.unwrap()["message_id"], id);
    for other in [id.replace('-', ""), format!("urn:uuid:{id}"), format!("%7B{id}%7D")] {
        assert_problem(replica.get(&token, &path(&other)).await, 404, "unknown-message").await;
    }
}
