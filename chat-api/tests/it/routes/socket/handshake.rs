//! Who gets a socket, and what others are told

use std::fmt::Write as _;

use reqwest::{Method, Response};
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::setup::socket::{Socket, request};
use crate::setup::{HANG, ORIGIN, Replica, Setup, assert_problem};

/// A handshake with some headers changed; `""` leaves one out.
async fn handshake(replica: &Replica, method: Method, changes: &[(&str, &str)]) -> Response {
    let headers = [
        ("connection", "keep-alive, Upgrade"),
        ("upgrade", "websocket"),
        ("sec-websocket-version", "13"),
        ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ("sec-websocket-protocol", "chat.v1"),
    ];
    let mut request = replica.http.request(method, replica.url("/v1/ws"));
    for (name, value) in headers {
        let value =
            changes.iter().find(|(changed, _)| *changed == name).map_or(value, |(_, to)| to);
        if !value.is_empty() {
            request = request.header(name, value);
        }
    }
    request.send().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_handshake_is_answered_as_rfc_6455_says() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let response = handshake(&replica, Method::GET, &[]).await;
    assert_eq!(response.status(), 101);
    // The example of §1.3.
    assert_eq!(response.headers()["sec-websocket-accept"], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    assert_eq!(response.headers()["sec-websocket-protocol"], "chat.v1");
    assert_eq!(response.headers()["upgrade"], "websocket");
    assert_eq!(response.headers()["connection"].to_str().unwrap().to_lowercase(), "upgrade");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_handshake_is_refused_and_says_why() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for (name, value) in [
        ("connection", ""),
        ("connection", "close"),
        ("upgrade", ""),
        ("upgrade", "h2c"),
        ("sec-websocket-key", ""),
        ("sec-websocket-key", "short"),
        ("sec-websocket-key", "bm90IHNpeHRlZW4="),
    ] {
        let response = handshake(&replica, Method::GET, &[(name, value)]).await;
        assert_problem(response, 400, "not-a-handshake").await;
    }
    for version in ["", "12", "14", "13, 12"] {
        let response =
            handshake(&replica, Method::GET, &[("sec-websocket-version", version)]).await;
        assert_eq!(response.headers()["sec-websocket-version"], "13", "{version}");
        assert_eq!(response.headers()["upgrade"], "websocket", "{version}");
        assert_problem(response, 426, "not-a-handshake").await;
    }
    let head = handshake(&replica, Method::HEAD, &[]).await;
    assert_eq!(head.status(), 400, "as GET without a handshake is");
    assert_eq!(head.headers()["content-type"], "application/problem+json");
    assert_problem(handshake(&replica, Method::POST, &[]).await, 405, "method-not-allowed").await;

    // HTTP/1.0 knows no upgrade.
    let mut old = TcpStream::connect(replica.address).await.unwrap();
    let mut request = "GET /v1/ws HTTP/1.0\r\n".to_owned();
    for line in [
        "Connection: Upgrade",
        "Upgrade: websocket",
        "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Protocol: chat.v1",
    ] {
        write!(request, "{line}\r\n").unwrap();
    }
    old.write_all(format!("{request}\r\n").as_bytes()).await.unwrap();
    let mut answer = String::new();
    tokio::time::timeout(HANG, old.read_to_string(&mut answer)).await.unwrap().unwrap();
    assert!(answer.starts_with("HTTP/1.0 400"), "{answer}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_who_offers_chat_v1_gets_a_socket() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for offered in ["", "chat.v2", "CHAT.V1", &format!("bearer.{token}")] {
        let response =
            handshake(&replica, Method::GET, &[("sec-websocket-protocol", offered)]).await;
        let problem = assert_problem(response, 400, "not-a-handshake").await;
        assert_eq!(problem["fields"], json!(["Sec-WebSocket-Protocol"]), "{problem}");
    }
    let mut request = request(&replica);
    let offered = format!("chat.v2,bearer.{token} , chat.v1");
    request.headers_mut().insert("sec-websocket-protocol", offered.parse().unwrap());
    let mut socket = Socket::open(request).await.unwrap();
    assert_eq!(socket.protocol.as_deref(), Some("chat.v1"));
    socket.expect("ready").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn where_nothing_is_served_nothing_is_allowed() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for path in ["/", "/v1", "/v1/nothing", "/v2/messages"] {
        for method in [Method::OPTIONS, Method::GET, Method::POST] {
            let request = replica.http.request(method, replica.url(path));
            let response =
                request.header("origin", ORIGIN).header("access-control-request-method", "GET");
            assert_problem(response.send().await.unwrap(), 404, "no-such-path").await;
        }
    }
    let unknown = replica.http.get(replica.url("/v1/nothing")).header("origin", ORIGIN);
    let unknown = unknown.send().await.unwrap();
    assert!(unknown.headers().contains_key("access-control-allow-origin"), "a page may read why");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_rooms_in_a_frame_are_answered_and_the_socket_goes_on() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut socket = replica.socket(&token).await;
    let mut rooms = serde_json::Map::new();
    for number in 0..128 {
        rooms.insert(format!("room-{number}"), json!(null));
    }
    rooms.insert("lobby".to_owned(), json!(null));
    socket.send(&json!({ "type": "subscribe", "rooms": rooms })).await;
    let error = socket.expect("error").await;
    assert_eq!(error["code"], "too-many-rooms");
    assert!(error.get("room_id").is_none(), "{error}");
    replica.say(&token, "not heard").await;
    socket.send(&json!({ "type": "ping" })).await;
    socket.expect("pong").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_of_another_origin_gets_no_socket() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let mut request = request(&replica);
    request.headers_mut().insert("origin", ORIGIN.parse().unwrap());
    assert!(Socket::open(request.clone()).await.is_ok());
    request.headers_mut().insert("origin", "https://evil.example".parse().unwrap());
    let Err(tokio_tungstenite::tungstenite::Error::Http(response)) = Socket::open(request).await
    else {
        panic!("the handshake passed");
    };
    assert_eq!(response.status(), 403);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_no_handshake_is_a_problem() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let response = replica.http.get(replica.url("/v1/ws")).send().await.unwrap();
    assert_problem(response, 400, "not-a-handshake").await;
}
