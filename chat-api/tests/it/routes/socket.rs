//! `/v1/ws`

mod browser_and_node;
mod close_codes;
mod closing_handshake;
mod handshake;
mod pings;
mod resume;
mod storm;

use std::time::Duration;

use serde_json::json;
use tokio_tungstenite::tungstenite::Message;

use futures_util::{SinkExt as _, StreamExt as _};

use crate::setup::socket::{Socket, request};
use crate::setup::{HANG, Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_message_comes_over_the_socket_to_everybody_in_the_room() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (mut listener, mut speaker) = (replica.socket(&bob).await, replica.socket(&ada).await);
    listener.subscribe(None).await;

    speaker.send(&json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "hi" })).await;
    let ack = speaker.expect("ack").await;
    assert_eq!(ack["ref"], "1");
    let event = listener.expect("event").await;
    assert_eq!(event["room_id"], "lobby");
    assert_eq!(event["cur"], ack["cursor"]);
    assert!(event.get("prev").is_none(), "nothing was said before");
    assert_eq!(event["event"]["message_id"], ack["message_id"]);
    assert_eq!(event["event"]["type"], "message");
    assert_eq!(event["event"]["v"], 1);
    assert_eq!(event["event"]["user_id"], "ada");
    assert_eq!(event["event"]["user_name"], "Name of ada");
    assert_eq!(event["event"]["content"], "hi");

    let accepted = replica.say(&ada, "again").await;
    let event = listener.expect("event").await;
    assert_eq!(event["prev"], ack["cursor"]);
    assert_eq!(event["cur"], accepted["cursor"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn sends_of_one_socket_keep_their_order() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let mut socket = replica.socket(&setup.issuer.token("ada")).await;
    for number in 0..100 {
        let number = number.to_string();
        socket
            .send(&json!({ "type": "send", "ref": number, "room_id": "lobby", "content": number }))
            .await;
    }
    for _ in 0..100 {
        socket.expect("ack").await;
    }
    let expected: Vec<String> = (0..100).map(|number| number.to_string()).collect();
    assert_eq!(setup.stored_count(100).await, expected);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_may_come_as_header_subprotocol_or_first_frame() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");

    let mut by_header = Socket::connect(&replica, Some(&token)).await;
    let ready = by_header.expect("ready").await;
    assert_eq!(ready["user_id"], "ada");
    assert!(ready["expires_at"].is_string());
    assert_eq!(by_header.protocol.as_deref(), Some("chat.v1"));

    let mut request = request(&replica);
    let protocols = format!("chat.v1, bearer.{token}");
    request.headers_mut().insert("sec-websocket-protocol", protocols.parse().unwrap());
    let mut by_subprotocol = Socket::open(request).await.unwrap();
    by_subprotocol.expect("ready").await;
    assert_eq!(by_subprotocol.protocol.as_deref(), Some("chat.v1"), "the token is not sent back");

    let mut by_frame = Socket::connect(&replica, None).await;
    by_frame.send(&json!({ "type": "auth", "token": token })).await;
    by_frame.expect("ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_token_in_time_the_socket_is_closed_with_4502() {
    let setup = Setup::new().await;
    let replica =
        setup.replica_with(|config| config.timeouts.auth = Duration::from_millis(300)).await;
    let mut socket = Socket::connect(&replica, None).await;
    assert_eq!(socket.closed().await.0, 4502);
    assert_eq!(setup.config().timeouts.auth, Duration::from_secs(10));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bad_token_closes_with_4500_without_repeating_it() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let foreign = setup.issuer.token_with("ada", &json!({ "aud": "other-app" }));
    for token in ["nonsense".to_owned(), foreign, setup.issuer.token_until("ada", -60)] {
        let (code, reason) = Socket::connect(&replica, Some(&token)).await.closed().await;
        assert_eq!(code, 4500);
        assert!(!reason.contains(&token));
        let mut socket = Socket::connect(&replica, None).await;
        socket.send(&json!({ "type": "auth", "token": token })).await;
        assert_eq!(socket.closed().await.0, 4500);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_cannot_be_understood_closes_with_4501() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for (frame, reason) in [
        ("nonsense", "not JSON"),
        (r#"{"type":"dance"}"#, "unknown frame type"),
        (r#"{"type":"ping","loud":true}"#, "unknown field: loud"),
        (r#"{"type":"send","room_id":"lobby","content":"hi"}"#, "missing field: ref"),
    ] {
        let mut socket = replica.socket(&token).await;
        socket.send_text(frame).await;
        let (code, told) = socket.closed().await;
        assert_eq!(code, 4501);
        assert!(told.starts_with(reason), "{told}");
    }
    let mut socket = replica.socket(&token).await;
    socket.stream.send(Message::binary(vec![1, 2, 3])).await.unwrap();
    assert_eq!(socket.closed().await.0, 4501);
    let mut socket = Socket::connect(&replica, None).await;
    socket.send(&json!({ "type": "ping" })).await;
    assert_eq!(socket.closed().await.0, 4501, "before the token there is nothing else");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_oversized_frame_closes_with_1009() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let mut socket = replica.socket(&setup.issuer.token("ada")).await;
    let fits =
        json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "x".repeat(100_000) });
    socket.send(&fits).await;
    let nack = socket.expect("nack").await;
    assert_eq!(nack["code"], "content-too-large");
    socket.send_text(&" ".repeat(100 * 1024 + 1)).await;
    assert_eq!(socket.closed().await.0, 1009);
}

#[tokio::test(flavor = "multi_thread")]
async fn mistakes_in_a_send_or_subscription_are_answered_and_the_socket_goes_on() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let mut socket = replica.socket(&setup.issuer.token("ada")).await;
    socket.send(&json!({ "type": "subscribe", "rooms": { "cellar": null } })).await;
    let error = socket.expect("error").await;
    assert_eq!((&error["code"], &error["room_id"]), (&json!("unknown-room"), &json!("cellar")));
    socket.send(&json!({ "type": "subscribe", "rooms": { "lobby": "nonsense" } })).await;
    assert_eq!(socket.expect("error").await["code"], "bad-cursor");
    for (room, content, code) in [
        ("cellar", "hi", "unknown-room"),
        ("lobby", " ", "empty-content"),
        ("lobby", "\0", "unstorable-content"),
    ] {
        socket
            .send(&json!({ "type": "send", "ref": "7", "room_id": room, "content": content }))
            .await;
        let nack = socket.expect("nack").await;
        assert_eq!((&nack["code"], &nack["ref"]), (&json!(code), &json!("7")));
    }
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_unsubscribed_room_is_silent() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    socket.send(&json!({ "type": "unsubscribe", "rooms": ["lobby"] })).await;
    socket.send(&json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "hi" })).await;
    socket.expect("ack").await;
    setup.stored_count(1).await;
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_pings_and_a_client_that_does_not_answer_is_closed_with_4012() {
    let setup = Setup::new().await;
    let replica = setup
        .replica_with(|config| {
            config.timeouts.ping_every = Duration::from_millis(100);
            config.timeouts.pong_within = Duration::from_millis(400);
        })
        .await;
    let token = setup.issuer.token("ada");
    // Reading answers pings: who reads stays.
    let mut socket = replica.socket(&token).await;
    for _ in 0..5 {
        let ping = tokio::time::timeout(HANG, socket.stream.next()).await.unwrap();
        assert!(matches!(ping, Some(Ok(Message::Ping(_)))), "{ping:?}");
    }
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;

    socket.stream.close(None).await.unwrap();
    while let Some(Ok(_)) = socket.stream.next().await {}

    // Who does not read does not answer. Nothing else is closed with this code.
    let mut silent = replica.socket(&token).await;
    eventually("a socket is given up", async || {
        replica.metrics().await.contains("chat_closes_total{code=\"4012\"}").then_some(())
    })
    .await;
    assert_eq!(silent.closed().await.0, 4012);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_outlives_its_token_by_the_grace_and_is_then_closed_with_4401() {
    let setup = Setup::new().await;
    let replica = setup
        .replica_with(|config| {
            config.timeouts.before_expiry = Duration::ZERO;
            config.timeouts.after_expiry = Duration::from_secs(1);
        })
        .await;
    let mut socket = replica.socket(&setup.issuer.token_until("ada", 2)).await;
    let mut renewed = replica.socket(&setup.issuer.token_until("ada", 2)).await;
    renewed.send(&json!({ "type": "auth", "token": setup.issuer.token("ada") })).await;
    renewed.expect("ready").await;

    let opened = std::time::Instant::now();
    assert_eq!(socket.closed().await.0, 4401);
    assert!(opened.elapsed() > Duration::from_secs(1), "not before the token expired");
    renewed.send(&json!({ "type": "ping" })).await;
    renewed.expect("pong").await;
    renewed.send(&json!({ "type": "auth", "token": setup.issuer.token("bob") })).await;
    assert_eq!(renewed.closed().await.0, 4500, "nobody becomes somebody else");
    assert_eq!(setup.config().timeouts.after_expiry, Duration::from_secs(25));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_closes_sockets_with_4001_and_loses_nothing_it_acknowledged() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let (mut idle, mut unknown) =
        (replica.socket(&token).await, Socket::connect(&replica, None).await);
    let mut busy = replica.socket(&token).await;
    for number in 0..20 {
        let number = number.to_string();
        busy.send(&json!({ "type": "send", "ref": number, "room_id": "lobby", "content": number }))
            .await;
    }
    let mut acknowledged = vec![busy.expect("ack").await];
    replica.ask_to_stop();
    assert_eq!(idle.closed().await.0, 4001);
    assert_eq!(unknown.closed().await.0, 4001);
    loop {
        match tokio::time::timeout(HANG, busy.stream.next()).await.unwrap().unwrap().unwrap() {
            Message::Text(text) => acknowledged.push(serde_json::from_str(&text).unwrap()),
            Message::Close(frame) => break assert_eq!(u16::from(frame.unwrap().code), 4001),
            _ => {}
        }
    }
    drop((idle, unknown, busy));
    assert_eq!(replica.stop().await, std::process::ExitCode::SUCCESS);

    // What this replica had no time to store, the next one does.
    let _next = setup.replica().await;
    let stored = eventually("everything acknowledged is stored", async || {
        let stored = setup.stored().await;
        let is_stored = |ack: &serde_json::Value| {
            ack["type"] != "ack" || stored.iter().any(|content| ack["ref"] == content.as_str())
        };
        acknowledged.iter().all(is_stored).then_some(stored)
    })
    .await;
    let expected: Vec<String> = (0..stored.len()).map(|number| number.to_string()).collect();
    assert_eq!(stored, expected, "once each, in order");
}
