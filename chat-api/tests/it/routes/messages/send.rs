//! `POST /v1/messages`

use std::time::Duration;

use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::setup::{HANG, Setup, assert_problem};

#[tokio::test(flavor = "multi_thread")]
async fn each_unusable_body_is_told_what_is_wrong_with_it() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let cases: [(&str, u16, &str, &[&str]); 15] = [
        ("{", 400, "not-json", &[]),
        ("\"\\ud800\"", 400, "not-an-object", &[]),
        ("[]", 400, "not-an-object", &[]),
        ("{}", 400, "missing-field", &["content"]),
        (r#"{"content":null}"#, 400, "missing-field", &["content"]),
        (r#"{"content":7}"#, 400, "wrong-type", &["content"]),
        (r#"{"content":"hi","colour":"red","size":1}"#, 400, "unknown-field", &["colour", "size"]),
        (r#"{"content":" \n"}"#, 400, "empty-content", &["content"]),
        (r#"{"content":"\u200b\u00ad\u202e"}"#, 400, "empty-content", &["content"]),
        (r#"{"content":"hi","content":"ho"}"#, 400, "repeated-field", &["content"]),
        (r#"{"x":{"y":1,"y":2},"content":"hi"}"#, 400, "repeated-field", &["y"]),
        (r#"{"content":"a\u0000b"}"#, 400, "unstorable-content", &["content"]),
        (r#"{"content":"hi","user_id":"bob"}"#, 403, "foreign-user", &["user_id"]),
        (r#"{"content":"hi","room_id":"cellar"}"#, 404, "unknown-room", &["room_id"]),
        (r#"{"content":"hi","room_id":"No Room"}"#, 404, "unknown-room", &["room_id"]),
    ];
    for (body, status, name, fields) in cases {
        let request = replica.http.post(replica.url("/v1/messages")).bearer_auth(&token);
        let request = request.header("content-type", "application/json").body(body);
        let problem = assert_problem(request.send().await.unwrap(), status, name).await;
        let named: Vec<&str> = problem["fields"]
            .as_array()
            .into_iter()
            .flatten()
            .map(|field| field.as_str().unwrap())
            .collect();
        assert_eq!(named, fields, "{body}");
    }
    assert!(setup.stored().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_and_media_types_are_limited() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let largest = "x".repeat(16 * 1024);
    let largest = replica.post(&token, &json!({ "content": largest })).send().await.unwrap();
    assert_eq!(largest.status(), 202);
    let larger = "x".repeat(16 * 1024 + 1);
    let response = replica.post(&token, &json!({ "content": larger })).send().await.unwrap();
    assert_problem(response, 413, "content-too-large").await;
    let huge = "x".repeat(200 * 1024);
    let response = replica.post(&token, &json!({ "content": huge })).send().await.unwrap();
    assert_problem(response, 413, "body-too-large").await;

    let request = replica.http.post(replica.url("/v1/messages")).bearer_auth(&token);
    let response = request.header("content-type", "text/plain").body("{}").send().await.unwrap();
    assert_problem(response, 415, "unsupported-media-type").await;
    for (codings, status) in [("gzip", 415), ("identity, br", 415), ("Identity", 202)] {
        let request = replica.post(&token, &json!({ "content": "hi" }));
        let response = request.header("content-encoding", codings).send().await.unwrap();
        if status == 202 {
            assert_eq!(response.status(), 202, "{codings}");
            continue;
        }
        assert_eq!(response.headers()["accept-encoding"], "identity");
        assert_problem(response, 415, "unsupported-encoding").await;
    }
    let request = replica.http.post(replica.url("/v1/messages")).bearer_auth(&token);
    let request = request.header("content-type", "Application/JSON; charset=utf-8");
    assert_eq!(request.body(r#"{"content":"hi"}"#).send().await.unwrap().status(), 202);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_that_never_ends_is_answered_and_cut_off() {
    let setup = Setup::new().await;
    let replica =
        setup.replica_with(|config| config.timeouts.body = Duration::from_millis(500)).await;
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: chat.example\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n",
        setup.issuer.token("ada")
    );
    let slow = TcpStream::connect(replica.address).await.unwrap();
    let (mut answer, mut request) = slow.into_split();
    request.write_all(head.as_bytes()).await.unwrap();
    let dribble = async {
        while request.write_all(b" ").await.is_ok() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let mut answered = Vec::new();
    let ends = async {
        tokio::join!(dribble, async {
            // A reset may follow the answer, because more was on its way.
            let _ = answer.read_to_end(&mut answered).await;
        })
    };
    timeout(HANG, ends).await.expect("it is cut off");
    let answered = String::from_utf8(answered).unwrap();
    assert!(answered.starts_with("HTTP/1.1 408 "), "{answered}");
    assert!(answered.contains("urn:problem-type:chat:slow-body"), "{answered}");
    assert!(setup.stored().await.is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn ones_own_user_id_and_the_lobby_may_be_named() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let body = json!({ "content": "hi", "user_id": "ada", "room_id": "lobby" });
    assert_eq!(replica.post(&token, &body).send().await.unwrap().status(), 202);
}
