//! How sockets end, and what is said before

use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpSocket, TcpStream};
use tokio_tungstenite::tungstenite::Message;

use crate::setup::records::Putter;
use crate::setup::socket::{self, Socket};
use crate::setup::{HANG, Setup, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn the_eleventh_socket_of_a_person_closes_the_oldest_with_4504() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut others = replica.socket(&bob).await;
    let mut sockets = Vec::new();
    for _ in 0..11 {
        sockets.push(replica.socket(&ada).await);
    }
    assert_eq!(sockets[0].closed().await.0, 4504);
    for socket in sockets[1..].iter_mut().chain([&mut others]) {
        socket.send(&json!({ "type": "ping" })).await;
        socket.expect("pong").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flood_of_frames_is_closed_with_4029() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let mut socket = replica.socket(&setup.issuer.token("ada")).await;
    for _ in 0..5_000 {
        if socket.try_send(&json!({ "type": "ping" })).await.is_err() {
            break;
        }
    }
    assert_eq!(socket.closed().await.0, 4029);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_that_takes_nothing_is_given_up_and_keeps_nobody_waiting() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.timeouts.stall = Duration::from_secs(2)).await;
    let token = setup.issuer.token("ada");
    // Its system takes little for it, so that the server's writes soon find no place.
    let tcp = TcpSocket::new_v4().unwrap();
    tcp.set_recv_buffer_size(4_096).unwrap();
    let stream = tcp.connect(replica.address).await.unwrap();
    let mut request = socket::request(&replica);
    request.headers_mut().insert("authorization", format!("Bearer {token}").parse().unwrap());
    let (mut stalled, _) = tokio_tungstenite::client_async(request, stream).await.unwrap();
    let subscribe = json!({ "type": "subscribe", "rooms": { "lobby": null } }).to_string();
    futures_util::SinkExt::send(&mut stalled, Message::text(subscribe)).await.unwrap();
    while !matches!(stalled.next().await, Some(Ok(Message::Text(text))) if text.contains("resumed"))
    {
    }
    let mut reader = replica.socket(&token).await;
    reader.subscribe(None).await;

    let padding = "x".repeat(16_000);
    let contents: Vec<String> = (0..800).map(|number| format!("{number} {padding}")).collect();
    Putter::new(&setup).say_as((0_u32..).zip(contents.iter().map(String::as_str)));
    assert_eq!(reader.contents(800).await, contents, "others get everything");
    eventually("the stalled socket is given up", async || {
        replica.metrics().await.contains("chat_closes_total{code=\"4008\"} 1").then_some(())
    })
    .await;
    drop(stalled);
}

#[tokio::test(flavor = "multi_thread")]
async fn before_a_token_expires_the_client_is_told_once() {
    let setup = Setup::new().await;
    let replica = setup
        .replica_with(|config| {
            config.timeouts.before_expiry = Duration::from_secs(3599);
            config.timeouts.after_expiry = Duration::from_secs(1);
        })
        .await;
    let mut socket = Socket::connect(&replica, Some(&setup.issuer.token_until("ada", 3))).await;
    let ready = socket.expect("ready").await;
    let expiring = socket.expect("auth_expiring").await;
    assert_eq!(expiring["expires_at"], ready["expires_at"]);
    socket.send(&json!({ "type": "auth", "token": setup.issuer.token_until("ada", 7200) })).await;
    let renewed = socket.expect("ready").await;
    assert_ne!(renewed["expires_at"], ready["expires_at"]);
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stop_says_when_each_socket_will_close_and_answers_what_was_sent_until_then() {
    let setup = Setup::new().await;
    let replica =
        setup.replica_with(|config| config.timeouts.drain_over = Duration::from_secs(2)).await;
    let token = setup.issuer.token("ada");
    let mut sockets = Vec::new();
    for _ in 0..10 {
        sockets.push(replica.socket(&token).await);
    }
    replica.ask_to_stop();
    let mut moments = Vec::new();
    for socket in &mut sockets {
        let after = socket.expect("drain").await["after"].as_u64().unwrap();
        assert!(after <= 2_000, "{after}");
        moments.push(after);
    }
    let last = (0..10).max_by_key(|index| moments[*index]).unwrap();
    if moments[last] > 500 {
        let send =
            json!({ "type": "send", "ref": "1", "room_id": "lobby", "content": "still here" });
        sockets[last].send(&send).await;
        sockets[last].expect("ack").await;
    }
    moments.dedup();
    assert!(moments.len() > 1, "not all at the same moment: {moments:?}");
    for socket in &mut sockets {
        assert_eq!(socket.closed().await.0, 4001);
    }
    drop(sockets);
    assert_eq!(replica.stop().await, std::process::ExitCode::SUCCESS);
}

#[tokio::test(flavor = "multi_thread")]
async fn frames_against_the_protocol_are_closed_with_4501() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let cases: [(&str, &[u8]); 4] = [
        ("compressed: a reserved bit is set", &[0xc1, 0x80, 0, 0, 0, 0]),
        ("not masked", &[0x81, 0x02, b'h', b'i']),
        ("an opcode that is not known", &[0x83, 0x80, 0, 0, 0, 0]),
        ("a continuation of nothing", &[0x80, 0x80, 0, 0, 0, 0]),
    ];
    for (what, bytes) in cases {
        let mut socket = replica.socket(&token).await;
        socket.tcp().write_all(bytes).await.unwrap();
        assert_eq!(socket.closed().await.0, 4501, "{what}");
    }
    // In pieces it is still one frame.
    let mut socket = replica.socket(&token).await;
    let pieces: [&[u8]; 2] = [br#"{"type":"#, br#""ping"}"#];
    for (index, piece) in pieces.into_iter().enumerate() {
        let first = if index == 0 { 0x01 } else { 0x80 };
        let length = 0x80 | u8::try_from(piece.len()).unwrap();
        let mut frame = vec![first, length, 0, 0, 0, 0];
        frame.extend(piece);
        socket.tcp().write_all(&frame).await.unwrap();
    }
    socket.expect("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_that_was_made_anew_closes_sockets_with_4010_and_is_read_from_its_beginning() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    socket.subscribe(None).await;
    for number in 0..5 {
        replica.say(&token, &number.to_string()).await;
    }
    assert_eq!(socket.contents(5).await.len(), 5);
    setup.make_log_anew().await;
    assert_eq!(socket.closed().await.0, 4010);
    let condition = eventually("the fan-out has found its place", async || {
        let report = replica.readiness().await;
        report["conditions"]["fan_out"]["met"].as_bool().filter(|met| *met)
    });
    assert!(condition.await);
    let mut fresh = replica.socket(&token).await;
    fresh.subscribe(None).await;
    Putter::new(&setup).say_as([(1, "anew")]);
    let heard = tokio::time::timeout(HANG, fresh.contents(1)).await.unwrap();
    assert_eq!(heard, ["anew"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_that_never_ends_is_cut_off() {
    let setup = Setup::new().await;
    let replica =
        setup.replica_with(|config| config.listener.head = Duration::from_millis(500)).await;
    let mut slow = TcpStream::connect(replica.address).await.unwrap();
    slow.write_all(b"GET /v1/ws HTTP/1.1\r\nHost: chat.example\r\n").await.unwrap();
    let dribble = async {
        for number in 0.. {
            tokio::time::sleep(Duration::from_millis(50)).await;
            if slow.write_all(format!("X-{number}: more\r\n").as_bytes()).await.is_err() {
                return;
            }
        }
    };
    tokio::time::timeout(HANG, dribble).await.expect("it is cut off");
}
