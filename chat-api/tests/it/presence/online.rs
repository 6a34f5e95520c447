//! `GET /v1/users/online`, `GET /v1/rooms/{room_id}/presence` and the frame `counts`

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::fast_replica;
use crate::setup::{Setup, assert_problem, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn several_devices_at_several_replicas_are_one_person_who_is_online_everywhere() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let (_first, second, third) =
        (one.socket(&ada).await, one.socket(&ada).await, two.socket(&ada).await);
    let mut bobs = two.socket(&bob).await;
    bobs.subscribe(None).await;
    for replica in [&one, &two] {
        replica.has_online(&ada, &["ada", "bob"]).await;
    }
    assert_eq!(bobs.counts(2).await, json!({ "type": "counts", "signed_in": 2, "guests": 0 }));

    drop((second, third));
    let token = setup.issuer.token("cleo");
    let _cleo = one.socket(&token).await;
    bobs.counts(3).await;
    for replica in [&one, &two] {
        replica.has_online(&ada, &["ada", "bob", "cleo"]).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_stays_online_for_the_grace_and_who_comes_back_elsewhere_was_never_away() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let mut watcher = two.socket(&bob).await;
    watcher.subscribe(None).await;
    let mut leaving = one.socket(&ada).await;
    watcher.counts(2).await;

    // A client that closes first and waits for the answer, as those of others do.
    leaving.stream.close(None).await.unwrap();
    while futures_util::StreamExt::next(&mut leaving.stream).await.is_some() {}
    let back = two.socket(&ada).await;
    let mut waits = one.socket(&setup.issuer.token("cleo")).await;
    waits.subscribe(None).await;
    // Had she been away, somebody would have been told of two.
    assert_eq!(watcher.until("counts").await["signed_in"], 3);

    let left = Instant::now();
    drop(back);
    watcher.counts(2).await;
    assert!(left.elapsed() >= Duration::from_secs(2), "after {:?}", left.elapsed());
    one.has_online(&bob, &["bob", "cleo"]).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_online_comes_page_by_page_in_the_order_of_ids_with_names() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    // Subjects need not be such as a URL takes.
    let mut names: Vec<String> = (0..25).map(|number| format!("person-{number:02}")).collect();
    names.extend(["a/b?c=d&e%".to_owned(), "x".repeat(255), "\"quoted\"\\".to_owned()]);
    names.sort();
    let mut sockets = Vec::new();
    for (number, name) in names.iter().enumerate() {
        let replica = if number % 2 == 0 { &one } else { &two };
        sockets.push(replica.socket(&setup.issuer.token(name)).await);
    }
    let token = setup.issuer.token("nobody-here");
    for replica in [&one, &two] {
        eventually("all of them are online", async || {
            (replica.online(&token, 200).await == names).then_some(())
        })
        .await;
        for limit in [1, 7, 28, 50] {
            assert_eq!(replica.online(&token, limit).await, names);
        }
    }
    let page: Vec<Value> = one.get(&token, "/v1/users/online?limit=1").await.json().await.unwrap();
    assert_eq!(
        page,
        [json!({ "user_id": names[0], "user_name": format!("Name of {}", names[0]) })]
    );
    let room: Value = one.get(&token, "/v1/rooms/lobby/presence").await.json().await.unwrap();
    assert_eq!(room, json!({ "room_id": "lobby", "online": names.len() }));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_asked_wrongly_is_refused_with_the_name_of_the_mistake() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let long = "x".repeat(10_000);
    for (path, name, field) in [
        ("/v1/users/online?limit=0", "invalid-parameter", "limit"),
        ("/v1/users/online?limit=201", "invalid-parameter", "limit"),
        ("/v1/users/online?limit=2&limit=3", "invalid-parameter", "limit"),
        ("/v1/users/online?after=", "invalid-parameter", "after"),
        ("/v1/users/online?after=%00", "invalid-parameter", "after"),
        ("/v1/users/online?after=_w", "invalid-parameter", "after"),
        (&format!("/v1/users/online?after={long}"), "invalid-parameter", "after"),
        ("/v1/users/online?room_id=lobby", "unknown-parameter", "room_id"),
    ] {
        let problem = assert_problem(replica.get(&token, path).await, 400, name).await;
        assert_eq!(problem["fields"], json!([field]), "{path}");
    }
    for room in ["attic", "LOBBY", "%00", "a%2Fb", &long] {
        let path = format!("/v1/rooms/{room}/presence");
        let problem = assert_problem(replica.get(&token, &path).await, 404, "unknown-room").await;
        assert_eq!(problem["fields"], json!(["room_id"]), "{path}");
    }
    for path in ["/v1/users/online", "/v1/rooms/lobby/presence"] {
        let request = replica.http.get(replica.url(path)).send().await.unwrap();
        assert_problem(request, 401, "missing-token").await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_asks_too_often_is_told_so() {
    let setup = Setup::new().await;
    let replica = setup
        .replica_with(|config| {
            let one = std::num::NonZeroU32::MIN;
            config.reads = chat_api::rate::Rate { per_second: one, burst: one };
        })
        .await;
    let token = setup.issuer.token("ada");
    assert_eq!(replica.get(&token, "/v1/users/online").await.status(), 200);
    assert_problem(replica.get(&token, "/v1/users/online").await, 429, "rate-limited").await;
    let path = "/v1/rooms/lobby/presence";
    assert_problem(replica.get(&token, path).await, 429, "rate-limited").await;
    let other = setup.issuer.token("bob");
    assert_eq!(replica.get(&other, path).await.status(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_calls_and_hangs_up_at_once_is_online_for_the_grace_and_leaves_nothing_behind() {
    let setup = Setup::new().await;
    let (one, two) = (fast_replica(&setup).await, fast_replica(&setup).await);
    let bob = setup.issuer.token("bob");
    let _bob = two.socket(&bob).await;
    for round in 0..3 {
        for number in 0..20 {
            let token = setup.issuer.token(&format!("hasty-{number}"));
            let socket = one.socket(&token).await;
            if round % 2 == 0 {
                drop(socket);
            } else {
                // Not even the close of the connection is in order.
                let mut socket = socket;
                let tcp = socket.tcp();
                tcp.set_zero_linger().unwrap();
            }
        }
        two.has_online(&bob, &["bob"]).await;
    }
}
