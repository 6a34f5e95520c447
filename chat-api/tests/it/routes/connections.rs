//! Connections at the public port, and what is left for others

use std::collections::BTreeMap;
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use futures_util::StreamExt as _;
use serde_json::json;
use service_process_testing::crowd::Crowd;
use tokio_tungstenite::tungstenite::Message;

use crate::setup::program::{serve, terminate};
use crate::setup::socket::{Socket, request, request_at};
use crate::setup::{HANG, Replica, Setup, eventually};

const MANY: usize = 10_000;

async fn is_counted(replica: &Replica, metric: &str) {
    let line = format!("{metric} ");
    eventually(metric, async || {
        let metrics = replica.metrics().await;
        let value = metrics.lines().find_map(|text| text.strip_prefix(&line)?.parse::<f64>().ok());
        value.filter(|value| *value > 0.0)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_who_say_nothing_leave_the_admin_port_and_those_who_speak_alone() {
    let setup = Setup::new().await;
    let replica = setup
        .replica_with(|config| {
            config.listener.connections = MANY + 100;
            config.listener.head = Duration::from_secs(20);
        })
        .await;
    let token = setup.issuer.token("ada");
    let mut crowd = Crowd::gather(replica.address, MANY, "PRI * HTTP/").await;
    replica.say(&token, "among many").await;
    assert_eq!(replica.readiness().await["ready"], true);
    crowd.until_ended(MANY).await;
    is_counted(&replica, r#"http_connections_cut_total{port="public",why="slow_head"}"#).await;
    drop(crowd);
    replica.say(&token, "after many").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_for_whom_there_is_no_place_are_closed_at_once_and_counted() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.listener.connections = 50).await;
    let token = setup.issuer.token("ada");
    let mut crowd = Crowd::gather(replica.address, MANY, "").await;
    assert_eq!(replica.readiness().await["ready"], true, "the admin port has places of its own");
    is_counted(&replica, r#"http_connections_refused_total{port="public"}"#).await;
    crowd.until_ended(MANY - 50).await;
    drop(crowd);
    eventually("there is a place again", async || {
        let sent = replica.post(&token, &json!({ "content": "hi" })).send().await;
        sent.ok().filter(|response| response.status() == 202)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_socket_keeps_its_place_among_the_connections_until_it_is_closed() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.listener.connections = 3).await;
    let token = setup.issuer.token("ada");
    let mut sockets = Vec::new();
    // One place may still be that of the client which asked for readiness.
    while let Ok(socket) = Socket::open(request(&replica)).await {
        sockets.push(socket);
        assert!(sockets.len() <= 3, "more sockets than places");
    }
    assert!(sockets.len() >= 2);
    drop(sockets);
    eventually("there is a place again", async || {
        let mut request = request(&replica);
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let mut socket = Socket::open(request).await.ok()?;
        socket.expect("ready").await;
        Some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn answers_that_nobody_reads_are_ended_and_a_stop_does_not_wait_for_them() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(|config| config.listener.stall = Duration::from_secs(2)).await;
    // So many that the systems on both sides do not hold them.
    let asked = "GET /v1/openapi.json HTTP/1.1\r\nHost: chat.example\r\n\r\n".repeat(1_000);
    let mut readers = Crowd::gather(replica.address, 5, &asked).await;
    is_counted(&replica, r#"http_connections_cut_total{port="public",why="stalled"}"#).await;
    readers.until_ended(5).await;

    let _readers = Crowd::gather(replica.address, 5, &asked).await;
    assert_eq!(replica.stop().await, ExitCode::SUCCESS);
}

/// What a client says that listens to the lobby: the handshake, and its subscription right behind it.
fn listening(token: &str) -> Vec<u8> {
    let mut said = format!(
        "GET /v1/ws HTTP/1.1\r\nHost: chat.example\r\nAuthorization: Bearer {token}\r\n\
         Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: chat.v1\r\n\r\n"
    )
    .into_bytes();
    let subscribe = json!({ "type": "subscribe", "rooms": { "lobby": null } }).to_string();
    let length = u8::try_from(subscribe.len()).unwrap();
    assert!(length < 126, "the short form of a frame's length");
    // A whole text, masked by zeros.
    said.extend([0x81, 0x80 | length, 0, 0, 0, 0]);
    said.extend(subscribe.as_bytes());
    said
}

/// Says a number, and whether the socket hears it before it is closed.
async fn says_and_hears(socket: &mut Socket, number: usize) -> bool {
    let send =
        json!({ "type": "send", "ref": "r", "room_id": "lobby", "content": number.to_string() });
    if socket.try_send(&send).await.is_err() {
        return false;
    }
    let event = format!(r#""content":"{number}""#);
    loop {
        let frame = tokio::time::timeout(HANG, socket.stream.next()).await.expect("a frame");
        match frame {
            Some(Ok(Message::Text(text))) if text.contains(&event) => return true,
            Some(Ok(Message::Close(_)) | Err(_)) | None => return false,
            Some(Ok(_)) => {}
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_who_hear_one_room_have_no_gap_when_a_stop_ends_them_in_the_middle() {
    let setup = Setup::new().await;
    let (mut command, address) = serve(&setup);
    command
        .envs([("CHAT_DRAIN_PAUSE", "0"), ("CHAT_DRAIN_OVER", "2")])
        .envs([("LIMIT_SENDS_PER_SECOND", "1000"), ("LIMIT_SENDS_BURST", "1000")])
        .stderr(Stdio::null());
    let mut replica = command.spawn().unwrap();
    eventually("it is ready", async || {
        let ready = reqwest::get(format!("http://{address}/v1/readyz")).await.ok()?;
        (ready.status() == 200).then_some(())
    })
    .await;
    // Ten sockets of each, which is how many one person may have.
    let people = (0..MANY / 10).map(|number| listening(&setup.issuer.token(&number.to_string())));
    let mut crowd = Crowd::listen(address, MANY, &people.collect::<Vec<_>>()).await;
    let all = |told: &str| BTreeMap::from([(told.to_owned(), MANY)]);
    eventually("all of them listen", async || {
        (crowd.told(r#""type":"(resumed)""#).await == all("resumed")).then_some(())
    })
    .await;
    let mut speakers = Vec::new();
    for number in 0..20 {
        let mut request = request_at(address);
        let token = setup.issuer.token(&format!("speaker-{number}"));
        let bearer = format!("Bearer {token}").parse().unwrap();
        request.headers_mut().insert("authorization", bearer);
        let mut speaker = Socket::open(request).await.unwrap();
        speaker.expect("ready").await;
        speaker.subscribe(None).await;
        speakers.push(speaker);
    }

    // A number is said when one of them has heard the one before, which then is on its way to the rest.
    let (mut numbers, mut unknown) = (0.., Vec::new());
    for mut speaker in speakers {
        for number in numbers.by_ref() {
            if !says_and_hears(&mut speaker, number).await {
                unknown.push(number);
                break;
            }
            if number == 10 {
                terminate(replica.id().unwrap());
            }
        }
    }
    crowd.until_ended(MANY).await;
    let ended = tokio::time::timeout(HANG, replica.wait()).await.expect("it ends");
    assert!(ended.unwrap().success());

    // Each was sent to another replica, 4001, and had heard what was said up to some number.
    assert_eq!(crowd.told(r"\x88[\x02-\x7d](\x0f\xa1)").await, all("\u{f}\u{a1}"));
    let told = crowd.told(r#""content":"([0-9]+)""#).await;
    assert!(told.len() > 1, "nobody was ended in the middle: {told:?}");
    let known = |number: &usize| !unknown.contains(number);
    for contents in told.keys() {
        let heard: Vec<usize> = contents.split(' ').map(|it| it.parse().unwrap()).collect();
        let whole = 0..=*heard.last().unwrap();
        assert_eq!(
            heard.into_iter().filter(known).collect::<Vec<_>>(),
            whole.filter(known).collect::<Vec<_>>()
        );
    }
}
