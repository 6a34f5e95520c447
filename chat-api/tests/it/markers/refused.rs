//! What is no marker, or not of this person

use chat_api::message::Cursor;
use chat_api::rate::Rate;
use reqwest::Method;
use serde_json::json;

use super::{applied, call, cursor_at, mark, position, put, room, say};
use crate::setup::records::{held, rooms};
use crate::setup::{Setup, assert_problem, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_place_beyond_the_log_or_of_another_room_is_refused_and_named() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let ada = setup.issuer.token("ada");
    let room = room(&setup, &[&replica], "group", &[]).await;
    let said = say(&replica, &ada, &room, "first").await;
    let beyond = cursor_at(&room, position(&said).raw() + 200_000);
    let home = Cursor::parse(&said).unwrap().partition;
    let other = rooms().into_iter().map(|room| cursor_at(room.as_str(), 0));
    let other = other.into_iter().find(|cursor| Cursor::parse(cursor).unwrap().partition != home);
    let mut socket = replica.socket(&ada).await;
    for (cursor, detail) in [(beyond, "beyond"), (other.unwrap(), "another room")] {
        let refused = put(&replica, &ada, &room, &cursor).await;
        let problem = assert_problem(refused, 400, "invalid-cursor").await;
        assert_eq!(problem["fields"], json!(["cursor"]));
        assert!(problem["detail"].as_str().unwrap().contains(detail), "{problem}");
        socket.send(&json!({ "type": "read", "room_id": room, "cursor": cursor })).await;
        let error = socket.expect("error").await;
        assert_eq!((&error["code"], &error["room_id"]), (&json!("invalid-cursor"), &json!(room)));
    }
    // So near that another replica might have read it: it is waited for.
    let ahead = cursor_at(&room, position(&said).raw() + 5);
    assert_problem(put(&replica, &ada, &room, &ahead).await, 503, "behind").await;
    let problem = assert_problem(put(&replica, &ada, &room, "x").await, 400, "wrong-type").await;
    assert_eq!(problem["fields"], json!(["cursor"]));
    let path = format!("/v1/rooms/{room}/marker");
    let body = json!({ "cursor": said, "device": "phone" });
    let unknown = call(&replica, &ada, Method::PUT, &path, &body).await;
    assert_problem(unknown, 400, "unknown-field").await;
    let missing = call(&replica, &ada, Method::PUT, &path, &json!({})).await;
    assert_problem(missing, 400, "missing-field").await;
    socket.send(&json!({ "type": "read", "room_id": room, "cursor": "x" })).await;
    assert_eq!(socket.expect("error").await["code"], "bad-cursor");
    assert_eq!(held(&setup, &setup.log.markers()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn only_members_set_and_see_markers() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, eve) = (setup.issuer.token("ada"), setup.issuer.token("eve"));
    for (kind, status, name) in [("public", 403, "not-allowed"), ("group", 404, "unknown-room")] {
        let room = room(&setup, &[&replica], kind, &[]).await;
        let said = say(&replica, &ada, &room, "first").await;
        assert_problem(put(&replica, &eve, &room, &said).await, status, name).await;
        let asked = replica.get(&eve, &format!("/v1/rooms/{room}/markers")).await;
        assert_problem(asked, status, name).await;
        let mut socket = replica.socket(&eve).await;
        socket.send(&json!({ "type": "read", "room_id": room, "cursor": said })).await;
        let error = socket.expect("error").await;
        assert_eq!((&error["code"], &error["room_id"]), (&json!(name), &json!(room)));
    }
    let said = say(&replica, &ada, "lobby", "first").await;
    assert_problem(put(&replica, &eve, "no-such-room", &said).await, 404, "unknown-room").await;
    assert_problem(put(&replica, &eve, "NO", &said).await, 404, "unknown-room").await;
    assert_eq!(held(&setup, &setup.log.markers()), 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn markers_are_opened_apart_and_read_all_the_same() {
    let setup = Setup::new().await;
    let open = setup.replica().await;
    let closed = setup.replica_with(|config| config.args.writes.chat_writes.clear()).await;
    let ada = setup.issuer.token("ada");
    let said = say(&open, &ada, "lobby", "first").await;
    let refused = put(&closed, &ada, "lobby", &said).await;
    let problem = assert_problem(refused, 503, "not-open-yet").await;
    assert_eq!(problem["outcome"], "not_sent");
    let mut socket = super::listener(&closed, &ada, "lobby").await;
    socket.send(&json!({ "type": "read", "room_id": "lobby", "cursor": said })).await;
    assert_eq!(socket.expect("error").await["code"], "not-open-yet");
    let bob = setup.issuer.token("bob");
    let mut socket = super::listener(&closed, &bob, "lobby").await;
    assert_eq!(mark(&open, &bob, "lobby", &said).await, applied(&said));
    assert_eq!(super::told(&mut socket, "lobby").await, ("bob".to_owned(), said));
}

#[tokio::test(flavor = "multi_thread")]
async fn markers_count_with_what_a_person_says() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.rate = Rate::SENDS).await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let said = say(&replica, &ada, "lobby", "first").await;
    let refused = eventually("it is too much", async || {
        let response = put(&replica, &ada, "lobby", &said).await;
        (response.status() != 200).then_some(response)
    })
    .await;
    assert_eq!(refused.headers()["retry-after"], "1");
    assert_problem(refused, 429, "rate-limited").await;
    let mut socket = replica.socket(&ada).await;
    for _ in 0..50 {
        socket.send(&json!({ "type": "read", "room_id": "lobby", "cursor": said })).await;
    }
    assert_eq!(socket.expect("error").await["code"], "rate-limited");
    mark(&replica, &bob, "lobby", &said).await;
}
