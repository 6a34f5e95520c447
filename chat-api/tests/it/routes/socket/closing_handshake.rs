//! The last words of a socket reach the other side

use std::fmt::Write as _;
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::{Value, json};
use tokio::io::AsyncWriteExt as _;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;

use crate::setup::socket::Socket;
use crate::setup::{HANG, Replica, Setup};

/// The first bytes of a masked frame of that length.
fn header(first: u8, length: usize) -> Vec<u8> {
    let mut bytes = vec![first];
    match length {
        0..126 => bytes.push(0x80 | u8::try_from(length).unwrap()),
        126..65_536 => {
            bytes.push(0x80 | 0x7e);
            bytes.extend(u16::try_from(length).unwrap().to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 0x7f);
            bytes.extend((length as u64).to_be_bytes());
        }
    }
    bytes.extend([0; 4]);
    bytes
}

/// A masked frame of blanks.
fn frame(first: u8, length: usize) -> Vec<u8> {
    let mut bytes = header(first, length);
    bytes.resize(bytes.len() + length, b' ');
    bytes
}

/// Sends all of it and only then looks for the close.
async fn closed_after(socket: &mut Socket, bytes: &[u8]) -> u16 {
    let sent =
        tokio::time::timeout(HANG, socket.tcp().write_all(bytes)).await.expect("it is taken");
    sent.expect("the connection is not cut");
    socket.closed().await.0
}

/// What comes until the end of the stream, which must be in order.
async fn until_the_end(socket: &mut Socket) -> Vec<Message> {
    let reading = async {
        let mut heard = Vec::new();
        while let Some(message) = socket.stream.next().await {
            heard.push(message.expect("a clean end"));
        }
        heard
    };
    tokio::time::timeout(HANG, reading).await.expect("it ends")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_close_of_a_client_is_answered_with_its_code_and_the_connection_ended_in_order() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for code in [Some(1000), Some(1001), Some(3000), Some(4000), None] {
        for known in [true, false] {
            let mut socket = if known {
                let mut socket = replica.socket(&token).await;
                socket.subscribe(None).await;
                socket
            } else {
                Socket::connect(&replica, None).await
            };
            let close =
                code.map(|code: u16| CloseFrame { code: code.into(), reason: "bye".into() });
            socket.stream.close(close.clone()).await.unwrap();
            assert_eq!(until_the_end(&mut socket).await, [Message::Close(close)], "{code:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_that_is_too_large_is_closed_with_1009_though_all_of_it_is_sent_first() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for length in [102_401, 200_000, 500_000, 4_000_000] {
        for _ in 0..5 {
            let mut socket = replica.socket(&token).await;
            assert_eq!(closed_after(&mut socket, &frame(0x81, length)).await, 1009, "{length}");
        }
        // Before the token, and in pieces of which each is small enough.
        let mut unknown = Socket::connect(&replica, None).await;
        assert_eq!(closed_after(&mut unknown, &frame(0x81, length)).await, 1009, "{length}");
        let mut pieces = frame(0x01, 50_000);
        for _ in 0..length / 50_000 {
            pieces.extend(frame(0x00, 50_000));
        }
        let mut socket = replica.socket(&token).await;
        assert_eq!(closed_after(&mut socket, &pieces).await, 1009, "{length} in pieces");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_final_close_reaches_who_is_still_sending() {
    let setup = Setup::new().await;
    let replica = setup
        .replica_with(|config| {
            config.timeouts.auth = Duration::from_millis(300);
            config.timeouts.before_expiry = Duration::ZERO;
            config.timeouts.after_expiry = Duration::ZERO;
        })
        .await;
    let token = setup.issuer.token("ada");
    let rest = frame(0x81, 500_000);
    let text = |text: &str| {
        let mut bytes = header(0x81, text.len());
        bytes.extend(text.as_bytes());
        bytes.extend(&rest);
        bytes
    };

    let mut bad_frame = replica.socket(&token).await;
    assert_eq!(closed_after(&mut bad_frame, &text("what?")).await, 4501);
    let mut bad_token = Socket::connect(&replica, None).await;
    let auth = json!({ "type": "auth", "token": "nonsense" }).to_string();
    assert_eq!(closed_after(&mut bad_token, &text(&auth)).await, 4500);
    let mut flood = replica.socket(&token).await;
    let mut frames = frame(0x8a, 0).repeat(5_000);
    frames.extend(&rest);
    assert_eq!(closed_after(&mut flood, &frames).await, 4029);

    // These end while a frame is under way.
    let mut late = Socket::connect(&replica, None).await;
    assert_eq!(ends_while_sending(&mut late).await, 4502);
    let mut expired = replica.socket(&setup.issuer.token_until("ada", 2)).await;
    assert_eq!(ends_while_sending(&mut expired).await, 4401);
    let mut replaced = replica.socket(&setup.issuer.token("bob")).await;
    let (others, code) =
        tokio::join!(others(&replica, &setup, "bob"), ends_while_sending(&mut replaced));
    assert_eq!(code, 4504);
    drop(others);
    let mut leaving = replica.socket(&token).await;
    replica.ask_to_stop();
    assert_eq!(ends_while_sending(&mut leaving).await, 4001);
}

async fn others(replica: &Replica, setup: &Setup, person: &str) -> Vec<Socket> {
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(replica.socket(&setup.issuer.token(person)).await);
    }
    sockets
}

/// Sends a frame that fits, piece by piece, until the close has come.
async fn ends_while_sending(socket: &mut Socket) -> u16 {
    let length = 100_000;
    socket.tcp().write_all(&header(0x81, length)).await.unwrap();
    for _ in 0..length {
        socket.tcp().write_all(b" ").await.expect("the connection is not cut");
        let next = tokio::time::timeout(Duration::from_millis(5), socket.stream.next()).await;
        match next {
            Ok(Some(Ok(Message::Close(Some(close))))) => return close.code.into(),
            Ok(Some(Ok(_))) | Err(_) => {}
            Ok(end) => panic!("{end:?}"),
        }
    }
    panic!("it does not end");
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_of_any_kind_count_from_the_first_byte_on() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let kinds: [(&str, &[u8], Vec<u8>); 4] = [
        ("empty parts of a message", &[0x01, 0x80, 0, 0, 0, 0], frame(0x00, 0)),
        ("small parts of a message", &[0x01, 0x80, 0, 0, 0, 0], frame(0x00, 1)),
        ("pings", b"", frame(0x89, 0)),
        ("pongs", b"", frame(0x8a, 0)),
    ];
    for (what, first, one) in kinds {
        for known in [true, false] {
            let mut socket = if known {
                replica.socket(&token).await
            } else {
                Socket::connect(&replica, None).await
            };
            // As many as may come at once do no harm.
            let mut few = first.to_vec();
            few.extend(one.repeat(990));
            socket.tcp().write_all(&few).await.unwrap();
            let mut many = one.repeat(100_000);
            if first.is_empty() {
                let next = if known { json!({ "type": "ping" }) } else { auth(&token) };
                socket.send(&next).await;
                socket.expect(if known { "pong" } else { "ready" }).await;
            } else {
                many = one.repeat(20_000);
            }
            assert_eq!(closed_after(&mut socket, &many).await, 4029, "{what}, known: {known}");
        }
    }
}

fn auth(token: &str) -> Value {
    json!({ "type": "auth", "token": token })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_in_content_is_answered_and_the_socket_stays() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    for (field, value, code) in [
        ("content", r"half \ud83d of it", "unstorable-content"),
        ("content", r"the other \ude00 half", "unstorable-content"),
        ("content", r"\ude00\ud83d", "unstorable-content"),
        ("content", r"\ud83d\ud83d\ude00", "unstorable-content"),
        ("content", r"\u0000", "unstorable-content"),
        ("room_id", r"\ud83d", "unknown-room"),
        ("key", r"\ud83d", "invalid-key"),
    ] {
        let mut fields = json!({ "type": "send", "ref": "7", "room_id": "lobby", "content": "hi" });
        fields[field] = json!("HERE");
        socket.send_text(&fields.to_string().replace("HERE", value)).await;
        let nack = socket.expect("nack").await;
        assert_eq!((&nack["code"], &nack["ref"]), (&json!(code), &json!("7")), "{field} {value}");
    }
    socket.send_text(r#"{"type":"subscribe","rooms":{"\ud83d":null}}"#).await;
    assert_eq!(socket.expect("error").await["code"], "unknown-room");
    // A whole one, and a backslash before what only looks like a half.
    for content in [r"\ud83d\ude00", r"\\ud83d", r#"\"\\\ud83d\ude00"#] {
        let send = r#"{"type":"send","ref":"8","room_id":"lobby","content":"HERE"}"#;
        socket.send_text(&send.replace("HERE", content)).await;
        socket.expect("ack").await;
    }
    assert_eq!(setup.stored_count(3).await, ["😀", r"\ud83d", r#""\😀"#]);

    let response = replica.http.post(replica.url("/v1/messages")).bearer_auth(&token);
    let response = response.header("content-type", "application/json");
    let response = response.body(r#"{"content":"\ud83d"}"#).send().await.unwrap();
    let problem = crate::setup::assert_problem(response, 400, "unstorable-content").await;
    assert_eq!(problem["fields"], json!(["content"]));
    socket.send_text(r#"{"type":"send","ref":"\ud83d","room_id":"lobby","content":"hi"}"#).await;
    assert_eq!(socket.closed().await.0, 4501, "nothing could come back");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_longest_content_passes_both_ways_however_it_is_written_and_comes_in_a_frame_that_fits()
{
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    // The longest id and name, so that no event is longer.
    let subject = "a".repeat(255);
    let name = json!({ "name": "\u{1f600}".repeat(128) });
    let token = setup.issuer.token_with(&subject, &name);
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    let content = format!("a{}", "\u{1}".repeat(16 * 1024 - 1));
    let mut escaped = String::new();
    for byte in content.bytes() {
        write!(escaped, "\\u{byte:04x}").unwrap();
    }

    let response = replica.http.post(replica.url("/v1/messages")).bearer_auth(&token);
    let response = response.header("content-type", "application/json");
    let response = response.header("idempotency-key", "k".repeat(255));
    let response = response.body(format!(r#"{{"content":"{escaped}"}}"#)).send().await.unwrap();
    assert_eq!(response.status(), 202);
    let key = "l".repeat(255);
    let send = format!(
        r#"{{"type":"send","ref":"1","room_id":"lobby","key":"{key}","content":"{escaped}"}}"#
    );
    socket.send_text(&send).await;
    let (mut events, mut acks) = (0, 0);
    while events < 2 || acks < 1 {
        let message = tokio::time::timeout(HANG, socket.stream.next()).await.unwrap();
        let Some(Ok(Message::Text(text))) = message else { panic!("{message:?}") };
        assert!(text.len() <= 100 * 1024, "{} bytes", text.len());
        let frame: Value = serde_json::from_str(&text).unwrap();
        match frame["type"].as_str() {
            Some("ack") => acks += 1,
            Some("event") => {
                assert_eq!(frame["event"]["content"], content.as_str());
                events += 1;
            }
            Some("counts") => {}
            _ => panic!("{text}"),
        }
    }

    // What is repeated does not make an answer larger than that.
    let room = "x".repeat(100 * 1024 - 50);
    socket.send_text(&format!(r#"{{"type":"subscribe","rooms":{{"{room}":null}}}}"#)).await;
    let error = socket.expect("error").await;
    assert_eq!(error["code"], "unknown-room");
    assert!(error.to_string().len() <= 100 * 1024, "{} bytes", error.to_string().len());
}
