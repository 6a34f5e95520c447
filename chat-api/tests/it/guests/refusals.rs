//! What a guest is refused: every call and every frame that is for people

use reqwest::Method;
use serde_json::json;

use super::{ask, enter, get, open};
use crate::setup::socket::Socket;
use crate::setup::{Setup, assert_problem};

#[tokio::test(flavor = "multi_thread")]
async fn every_call_but_reads_of_public_rooms_needs_a_token() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let id = replica.say(&setup.issuer.token("ada"), "hi").await["message_id"].clone();
    let message = format!("/v1/messages/{}", id.as_str().unwrap());
    let reaction = format!("{message}/reactions/%F0%9F%91%8D");
    let calls = [
        (Method::POST, "/v1/messages"),
        (Method::PATCH, &message),
        (Method::DELETE, &message),
        (Method::PUT, &reaction),
        (Method::DELETE, &reaction),
        (Method::PUT, "/v1/rooms/lobby/pins/019ab1c4-91f2-7b60-8a47-d1c02be9a7f0"),
        (Method::DELETE, "/v1/rooms/lobby/pins/019ab1c4-91f2-7b60-8a47-d1c02be9a7f0"),
        (Method::GET, "/v1/rooms"),
        (Method::POST, "/v1/rooms"),
        (Method::PATCH, "/v1/rooms/lobby"),
        (Method::DELETE, "/v1/rooms/lobby"),
        (Method::GET, "/v1/rooms/lobby/members"),
        (Method::PUT, "/v1/rooms/lobby/members/ada"),
        (Method::DELETE, "/v1/rooms/lobby/members/ada"),
        (Method::PUT, "/v1/direct/ada"),
        (Method::GET, "/v1/users?q=ada"),
        (Method::GET, "/v1/users?q=ada@example.org"),
        (Method::GET, "/v1/users?ids=ada"),
        (Method::GET, "/v1/users/me"),
    ];
    for (method, path) in calls {
        let request = ask(&replica, method.clone(), path).json(&json!({ "content": "hello" }));
        let response = request.send().await.unwrap();
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        let problem = assert_problem(response, 401, "missing-token").await;
        assert_eq!(problem["fields"], json!(["Authorization"]), "{method} {path}");
    }
    // Nothing came of any of them.
    assert_eq!(setup.stored_count(1).await, ["hi"]);
    let seen: serde_json::Value = get(&replica, &message).await.json().await.unwrap();
    assert_eq!((&seen["content"], seen.get("reactions")), (&json!("hi"), None), "{seen}");
}

#[tokio::test(flavor = "multi_thread")]
async fn every_described_call_is_either_a_read_of_a_room_or_needs_a_token() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let description: serde_json::Value =
        get(&replica, "/v1/openapi.json").await.json().await.unwrap();
    let mut open_to_guests = Vec::new();
    for (path, methods) in description["paths"].as_object().unwrap() {
        for (method, call) in methods.as_object().unwrap() {
            let id = "019ab1c4-91f2-7b60-8a47-d1c02be9a7f0";
            let path = path.replace("{id}", id).replace("{message_id}", id).replace("{emoji}", "x");
            let path = path.replace("{room_id}", "attic").replace("{user_id}", "ada");
            let path = format!("/v1{path}");
            let method = Method::from_bytes(method.to_uppercase().as_bytes()).unwrap();
            let status = ask(&replica, method, &path).json(&json!({})).send().await.unwrap();
            let is_described_as_open = call["security"].as_array().unwrap().contains(&json!({}));
            assert_eq!(status.status() != 401, is_described_as_open, "{path}");
            if is_described_as_open {
                open_to_guests.push(call["operationId"].as_str().unwrap().to_owned());
            }
        }
    }
    open_to_guests.sort();
    assert_eq!(open_to_guests, ["getMessage", "getMessageHistory", "getMessages", "getRoom"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_room_that_is_not_public_is_none_to_a_guest() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    for room in ["attic", "d-0123456789", "lobby2"] {
        let response = get(&replica, &format!("/v1/messages?room_id={room}")).await;
        assert_problem(response, 404, "unknown-room").await;
    }
    let unknown = "/v1/messages/019ab1c4-91f2-7b60-8a47-d1c02be9a7f0";
    for path in
        [unknown.to_owned(), format!("{unknown}/history"), format!("{unknown}?room_id=attic")]
    {
        assert_problem(get(&replica, &path).await, 404, "unknown-message").await;
    }
    for (path, name) in [
        ("/v1/messages?limit=0", "invalid-parameter"),
        ("/v1/messages?before=nonsense", "invalid-parameter"),
        ("/v1/messages?guest=true", "unknown-parameter"),
    ] {
        assert_problem(get(&replica, path).await, 400, name).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_shows_a_token_is_no_guest_even_if_it_does_not_pass() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let expired = setup.issuer.token_until("ada", -60);
    for token in [expired.as_str(), "nonsense"] {
        let response = replica.get(token, "/v1/messages").await;
        assert_problem(response, 401, "invalid-token").await;
    }
    for header in ["Basic YWRhOmFkYQ==", "Bearer", ""] {
        let request = ask(&replica, Method::GET, "/v1/messages").header("authorization", header);
        assert_problem(request.send().await.unwrap(), 401, "missing-token").await;
    }
    // By each way in which a socket gets a token.
    let mut socket = Socket::connect(&replica, Some(&expired)).await;
    assert_eq!(socket.closed().await.0, 4500);
    let mut socket = Socket::connect(&replica, None).await;
    socket.send(&json!({ "type": "auth", "token": expired })).await;
    assert_eq!(socket.closed().await.0, 4500);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_says_nothing_and_the_socket_goes_on() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let mut socket = enter(&replica).await;
    for (content, key) in [("hi", None), ("", None), ("hi", Some("k")), ("hi", Some("\u{0}"))] {
        let send = json!({
            "type": "send", "ref": "r", "room_id": "lobby", "content": content, "key": key,
        });
        socket.send(&send).await;
        let nack = socket.expect("nack").await;
        assert_eq!((&nack["ref"], &nack["code"]), (&json!("r"), &json!("missing-token")), "{nack}");
        assert!(nack["detail"].as_str().unwrap().contains("token"), "{nack}");
    }
    let elsewhere = json!({ "type": "send", "ref": "r", "room_id": "attic", "content": "hi" });
    socket.send(&elsewhere).await;
    assert_eq!(socket.expect("nack").await["code"], "missing-token", "there or not");
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
    replica.say(&setup.issuer.token("ada"), "hello").await;
    assert_eq!(setup.stored_count(1).await, ["hello"], "and nothing of a guest");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_hears_no_room_that_is_not_public() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let mut socket = enter(&replica).await;
    for room in ["attic", "d-0123456789", "Not a room"] {
        socket.send(&json!({ "type": "subscribe", "rooms": { room: null } })).await;
        let error = socket.expect("error").await;
        assert_eq!((&error["code"], &error["room_id"]), (&json!("unknown-room"), &json!(room)));
    }
    socket.send(&json!({ "type": "subscribe", "rooms": { "lobby": "nonsense" } })).await;
    assert_eq!(socket.expect("error").await["code"], "bad-cursor");
    socket.subscribe(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_does_not_become_a_person_on_the_same_socket_nor_the_other_way_round() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let token = setup.issuer.token("ada");
    for auth in [
        json!({ "type": "auth", "token": token }),
        json!({ "type": "auth", "token": "nonsense" }),
        json!({ "type": "auth", "guest": true }),
    ] {
        let mut socket = enter(&replica).await;
        socket.send(&auth).await;
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 4500, "{reason}");
        assert!(reason.contains("guest"), "{reason}");
    }
    let mut socket = replica.socket(&token).await;
    socket.send(&json!({ "type": "auth", "guest": true })).await;
    assert_eq!(socket.closed().await.0, 4500);
    // One that names itself by its handshake and says something else then.
    let mut socket = Socket::connect(&replica, Some(&token)).await;
    socket.send(&json!({ "type": "auth", "guest": true })).await;
    assert_eq!(socket.closed().await.0, 4500);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_first_frame_of_a_guest_is_refused_with_its_reason() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    for (frame, told) in [
        (json!({ "type": "auth" }), "token"),
        (json!({ "type": "auth", "guest": false }), "token"),
        (json!({ "type": "auth", "guest": "true" }), "guest"),
        (json!({ "type": "auth", "guest": 1 }), "guest"),
        (json!({ "type": "auth", "guest": true, "token": "t" }), "guest"),
        (json!({ "type": "auth", "guest": true, "name": "Bob" }), "name"),
        (json!({ "type": "guest" }), "type"),
        (json!({ "type": "subscribe", "rooms": { "lobby": null } }), "auth"),
    ] {
        let mut socket = Socket::connect(&replica, None).await;
        socket.send(&frame).await;
        let (code, reason) = socket.closed().await;
        assert_eq!(code, 4501, "{frame}: {reason}");
        assert!(reason.contains(told), "{frame}: {reason}");
    }
}
