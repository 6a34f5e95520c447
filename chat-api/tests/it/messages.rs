//! `/v1/messages`

use std::time::Duration;

use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};

use crate::setup::{HANG, Setup, assert_problem};

#[tokio::test(flavor = "multi_thread")]
async fn what_was_acknowledged_is_in_the_history() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");

    let accepted = replica.say(&token, "hello\n\u{1f600}").await;
    assert_eq!(accepted["status"], "enqueued");
    assert_eq!(accepted["room_id"], "lobby");
    let page = replica.history(&token, 1).await;
    assert_eq!(page.len(), 1);
    assert_eq!(page[0]["message_id"], accepted["message_id"]);
    assert_eq!(page[0]["cursor"], accepted["cursor"]);
    assert_eq!(page[0]["user_id"], "ada");
    assert_eq!(page[0]["user_name"], "Name of ada");
    assert_eq!(page[0]["content"], "hello\n\u{1f600}");
    assert_eq!(page[0]["room_id"], "lobby");
    let age = chrono::Utc::now()
        - page[0]["timestamp"].as_str().unwrap().parse::<chrono::DateTime<chrono::Utc>>().unwrap();
    assert!(age.num_seconds().abs() < 60);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_history_has_the_order_of_the_acknowledgements_and_pages_both_ways() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut said = Vec::new();
    for number in 0..7 {
        said.push(replica.say(&token, &number.to_string()).await["message_id"].clone());
    }
    replica.history(&token, 7).await;

    let mut pages: Vec<Vec<Value>> = Vec::new();
    let mut path = Some("/v1/messages?limit=3".to_owned());
    while let Some(next) = path {
        let response = replica.get(&token, &next).await;
        assert_eq!(response.status(), 200);
        path = response.headers().get("link").map(|link| {
            let link = link.to_str().unwrap();
            let (target, relation) = link.strip_prefix('<').unwrap().split_once('>').unwrap();
            assert_eq!(relation, "; rel=\"next\"");
            target.to_owned()
        });
        pages.push(response.json().await.unwrap());
    }
    assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [3, 3, 1]);
    let all: Vec<Value> =
        pages.into_iter().rev().flatten().map(|message| message["message_id"].clone()).collect();
    assert_eq!(all, said);

    let page: Vec<Value> = replica.get(&token, "/v1/messages").await.json().await.unwrap();
    let first = page[0]["cursor"].as_str().unwrap();
    let path = format!("/v1/messages?after={first}&limit=2");
    let response = replica.get(&token, &path).await;
    let link = response.headers()["link"].to_str().unwrap().to_owned();
    let forward: Vec<Value> = response.json().await.unwrap();
    assert_eq!(forward.iter().map(|m| &m["content"]).collect::<Vec<_>>(), ["1", "2"]);
    assert!(link.contains(&format!("after={}", forward[1]["cursor"].as_str().unwrap())), "{link}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_time_is_as_good_as_a_cursor() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    for number in 0..4 {
        replica.say(&token, &number.to_string()).await;
        // The next one gets another millisecond.
        tokio::time::sleep(std::time::Duration::from_millis(2)).await;
    }
    let all = replica.history(&token, 4).await;
    let time = |index: usize| all[index]["timestamp"].as_str().unwrap();
    for (query, expected) in [
        (format!("before={}", time(2)), &["0", "1"][..]),
        (format!("after={}", time(2)), &["2", "3"]),
        (format!("after={}&before={}", time(1), time(3)), &["1", "2"]),
        ("after=2999-12-31T23:59:59Z".to_owned(), &[]),
        ("before=2999-12-31T23:59:59%2B01:00".to_owned(), &["0", "1", "2", "3"]),
        ("before=1999-12-31T23:59:59Z".to_owned(), &[]),
    ] {
        let response = replica.get(&token, &format!("/v1/messages?{query}")).await;
        let page: Vec<Value> = response.json().await.unwrap();
        let contents: Vec<&str> =
            page.iter().map(|message| message["content"].as_str().unwrap()).collect();
        assert_eq!(contents, expected, "{query}");
    }
    let path = format!("/v1/messages?after={}&limit=1", time(1));
    let link = replica.get(&token, &path).await.headers()["link"].to_str().unwrap().to_owned();
    assert!(link.contains(&format!("after={}", all[1]["cursor"].as_str().unwrap())), "{link}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_history_tells_where_to_subscribe_from() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let response = replica.get(&token, "/v1/messages?room_id=lobby").await;
    assert_eq!(response.status(), 200);
    assert!(!response.headers().contains_key("link"));
    let cursor = response.headers()["x-cursor"].to_str().unwrap().to_owned();
    assert_eq!(response.text().await.unwrap(), "[]");

    replica.say(&token, "first").await;
    let mut socket = replica.socket(&token).await;
    let (events, _) = socket.subscribe(Some(&cursor)).await;
    // It may have been said before the subscription for the log, and after it for this replica.
    match events.as_slice() {
        [] => assert_eq!(socket.contents(1).await, ["first"]),
        [event] => assert_eq!(event["event"]["content"], "first"),
        more => panic!("{more:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_gets_in_without_a_valid_token() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for (method, token, name) in [
        ("GET", None, "missing-token"),
        ("POST", None, "missing-token"),
        ("GET", Some("nonsense".to_owned()), "invalid-token"),
        ("POST", Some(setup.issuer.token_until("ada", -60)), "invalid-token"),
        (
            "POST",
            Some(setup.issuer.token_with("ada", &json!({ "aud": "other-app" }))),
            "invalid-token",
        ),
    ] {
        let request = replica.http.request(method.parse().unwrap(), replica.url("/v1/messages"));
        let request = request.json(&json!({ "content": "hi" }));
        let request = match &token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let response = request.send().await.unwrap();
        assert!(response.headers()["www-authenticate"].to_str().unwrap().starts_with("Bearer"));
        let problem = assert_problem(response, 401, name).await;
        if let Some(token) = token {
            assert!(!problem.to_string().contains(&token));
        }
    }
    // RFC 9110 §11.1: the scheme's case does not count.
    let request = replica.http.get(replica.url("/v1/messages"));
    let token = format!("bearer {}", setup.issuer.token("ada"));
    assert_eq!(request.header("authorization", token).send().await.unwrap().status(), 200);
}

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

#[tokio::test(flavor = "multi_thread")]
async fn unusable_parameters_are_named() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let foreign = chat_api::message::Cursor {
        partition: chat_api::message::Partition::from_number(
            (Setup::lobby_partition().number() + 1) % 3,
        )
        .unwrap(),
        position: chat_api::message::Position::FIRST,
    };
    for (query, status, name, field) in [
        ("limit=0", 400, "invalid-parameter", "limit"),
        ("limit=201", 400, "invalid-parameter", "limit"),
        ("limit=ten", 400, "invalid-parameter", "limit"),
        ("before=yesterday", 400, "invalid-parameter", "before"),
        (&format!("after={foreign}"), 400, "invalid-parameter", "after"),
        ("after=2026-11-22T08:15:30+00:00", 400, "invalid-parameter", "after"),
        ("limit=1&limit=2", 400, "invalid-parameter", "limit"),
        (
            "before=2026-11-22T08:15:30Z&before=2026-11-22T08:15:30Z",
            400,
            "invalid-parameter",
            "before",
        ),
        ("colour=red", 400, "unknown-parameter", "colour"),
        ("room_id=cellar", 404, "unknown-room", "room_id"),
    ] {
        let response = replica.get(&token, &format!("/v1/messages?{query}")).await;
        let problem = assert_problem(response, status, name).await;
        assert_eq!(problem["fields"], json!([field]));
        let detail = problem["detail"].as_str().unwrap();
        assert_eq!(detail.contains("%2B"), query.contains('+'), "{detail}");
    }
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

#[tokio::test(flavor = "multi_thread")]
async fn other_paths_and_methods_are_problems_too() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    assert_problem(replica.get(&token, "/v1/nothing").await, 404, "no-such-path").await;
    let response = replica.http.delete(replica.url("/v1/messages")).send().await.unwrap();
    assert_problem(response, 405, "method-not-allowed").await;
}
