//! `GET /v1/messages`

use serde_json::{Value, json};

use crate::setup::{Setup, assert_problem};

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
async fn a_page_begins_or_ends_at_a_message_that_is_named() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let mut ids = Vec::new();
    for number in 0..5 {
        let said = replica.say(&token, &number.to_string()).await;
        ids.push(said["message_id"].as_str().unwrap().to_owned());
    }
    replica.history(&token, 5).await;
    let numbers = async |query: String| {
        let response = replica.get(&token, &format!("/v1/messages?{query}")).await;
        assert_eq!(response.status(), 200);
        let next = response.headers().contains_key("link");
        let page: Vec<Value> = response.json().await.unwrap();
        (page.iter().map(|message| message["content"].clone()).collect::<Vec<_>>(), next)
    };
    let [_, second, _, fourth, _] = &ids[..] else { panic!("{ids:?}") };
    assert_eq!(
        numbers(format!("before={fourth}&limit=2")).await,
        (vec!["1".into(), "2".into()], true)
    );
    assert_eq!(numbers(format!("after={}", second.to_uppercase())).await.0, ["2", "3", "4"]);
    assert_eq!(numbers(format!("after={second}&before={fourth}")).await.0, ["2"]);
    for field in ["before", "after"] {
        let path = format!("/v1/messages?{field}=019ab1c4-7a10-7c3e-9d55-3f1f6a0b2c4d");
        let problem =
            assert_problem(replica.get(&token, &path).await, 400, "invalid-parameter").await;
        assert_eq!(problem["fields"], json!([field]));
    }
}
