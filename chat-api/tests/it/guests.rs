//! Guests: what they read, what they are refused, and how many of them there are

mod networks;
mod refusals;
mod rooms;
mod socket;

use chat_api::config::Config;
use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use service_process::proxies::TrustedProxies;

use crate::setup::socket::{Socket, request};
use crate::setup::{Replica, Setup, assert_problem};

/// The header in which a proxy tells who called it.
const REAL_IP: &str = "x-real-ip";

/// Guests are let in.
fn open(config: &mut Config) {
    config.args.guests.chat_guests = true;
}

/// They are, and come through a proxy, which the tests are.
fn behind_a_proxy(config: &mut Config) {
    open(config);
    config.args.guests.trusted_proxy_cidrs = TrustedProxies::parse("127.0.0.0/8,::1/128").unwrap();
}

fn ask(replica: &Replica, method: Method, path: &str) -> RequestBuilder {
    replica.http.request(method, replica.url(path))
}

/// Asks as a guest.
async fn get(replica: &Replica, path: &str) -> Response {
    ask(replica, Method::GET, path).send().await.unwrap()
}

/// A socket of a guest who comes from there, through the proxy, and is let in or not.
async fn knock_from(replica: &Replica, address: &str) -> Socket {
    let mut request = request(replica);
    request.headers_mut().insert(REAL_IP, address.parse().unwrap());
    let mut socket = Socket::open(request).await.unwrap();
    socket.send(&json!({ "type": "auth", "guest": true })).await;
    socket
}

async fn enter_from(replica: &Replica, address: &str) -> Socket {
    let mut socket = knock_from(replica, address).await;
    socket.expect("ready").await;
    socket
}

/// A socket of a guest.
async fn enter(replica: &Replica) -> Socket {
    let mut socket = Socket::connect(replica, None).await;
    socket.send(&json!({ "type": "auth", "guest": true })).await;
    let ready = socket.expect("ready").await;
    assert_eq!(ready, json!({ "type": "ready", "guest": true }), "nobody's, and for no time");
    socket
}

#[tokio::test(flavor = "multi_thread")]
async fn unless_they_are_let_in_guests_are_nobody() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let id = replica.say(&setup.issuer.token("ada"), "hi").await["message_id"].clone();
    let id = id.as_str().unwrap();
    for path in [
        "/v1/messages".to_owned(),
        format!("/v1/messages/{id}"),
        format!("/v1/messages/{id}/history"),
    ] {
        let response = get(&replica, &path).await;
        assert_eq!(response.headers()["www-authenticate"], "Bearer");
        assert_problem(response, 401, "missing-token").await;
    }
    let mut socket = Socket::connect(&replica, None).await;
    socket.send(&json!({ "type": "auth", "guest": true })).await;
    let (code, reason) = socket.closed().await;
    assert_eq!(code, 4500, "{reason}");
    assert!(reason.contains("guests"), "{reason}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_reads_what_people_read_in_the_lobby_and_nothing_in_it_is_theirs() {
    let setup = Setup::new().await;
    let replica = setup.replica_with(open).await;
    let token = setup.issuer.token("ada");
    let said = replica.say(&token, "good morning").await;
    let id = said["message_id"].as_str().unwrap();
    let reaction = format!("/v1/messages/{id}/reactions/%F0%9F%91%8D");
    let reacted = ask(&replica, Method::PUT, &reaction).bearer_auth(&token).send().await.unwrap();
    assert_eq!(reacted.status(), 202);
    let reacted: Value = reacted.json().await.unwrap();
    let cursor = reacted["cursor"].as_str().unwrap();

    for path in [
        "/v1/messages".to_owned(),
        "/v1/messages?room_id=lobby&limit=1".to_owned(),
        format!("/v1/messages/{id}"),
        format!("/v1/messages/{id}/history"),
    ] {
        let request = ask(&replica, Method::GET, &path).header("x-after", cursor);
        let (as_guest, as_person) =
            (request.try_clone().unwrap(), request.bearer_auth(setup.issuer.token("bob")));
        let as_guest = as_guest.send().await.unwrap();
        assert_eq!(as_guest.status(), 200, "{path}");
        let up_to = as_guest.headers().get("x-cursor").cloned();
        let given: Value = as_guest.json().await.unwrap();
        let as_person = as_person.send().await.unwrap();
        assert_eq!(as_person.headers().get("x-cursor").cloned(), up_to, "{path}");
        // He has not reacted either.
        assert_eq!(given, as_person.json::<Value>().await.unwrap(), "{path}");
    }
    let seen: Value = get(&replica, &format!("/v1/messages/{id}")).await.json().await.unwrap();
    assert_eq!(seen["reactions"], json!([{ "emoji": "👍", "count": 1, "mine": false }]));
    let seen: Value =
        replica.get(&token, &format!("/v1/messages/{id}")).await.json().await.unwrap();
    assert_eq!(seen["reactions"][0]["mine"], true, "and she has");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_guest_without_a_database_is_told_as_people_are() {
    let home = tempfile::tempdir().unwrap();
    let mongodb = devstack::mongodb::ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let replica = setup.replica_with(open).await;
    let token = setup.issuer.token("ada");
    let cursor = replica.say(&token, "before").await["cursor"].clone();
    replica.includes(&token, cursor.as_str().unwrap()).await;
    mongodb.freeze();
    let mut socket = enter(&replica).await;
    socket.subscribe(None).await;
    replica.say(&token, "meanwhile").await;
    assert_eq!(socket.contents(1).await, ["meanwhile"], "what is live goes on");
    let response = get(&replica, "/v1/messages").await;
    assert_eq!(response.headers()["retry-after"], "5");
    assert_problem(response, 503, "history-unavailable").await;
    mongodb.thaw();
    crate::setup::eventually("history is read again", async || {
        (get(&replica, "/v1/messages").await.status() == 200).then_some(())
    })
    .await;
}
