//! `/v1/rooms` and `/v1/direct`

mod finder;
mod members;
mod mine;

use futures_util::future::join_all;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use crate::setup::{Replica, Setup, assert_problem, eventually};

pub(crate) async fn call(
    replica: &Replica,
    token: &str,
    method: Method,
    path: &str,
    body: Option<&Value>,
) -> Response {
    let request = replica.http.request(method, replica.url(path)).bearer_auth(token);
    let request = match body {
        Some(body) => request.json(body),
        None => request,
    };
    request.send().await.unwrap()
}

/// Makes a room; its id.
async fn make(replica: &Replica, token: &str, kind: &str) -> String {
    let body = json!({ "name": "Attic", "kind": kind });
    let made = call(replica, token, Method::POST, "/v1/rooms", Some(&body)).await;
    assert_eq!(made.status(), 201);
    let location = made.headers()["location"].to_str().unwrap().to_owned();
    let room: Value = made.json().await.unwrap();
    let id = room["room_id"].as_str().unwrap().to_owned();
    assert_eq!(location, format!("/v1/rooms/{id}"));
    assert_eq!(
        (&room["kind"], &room["name"], &room["role"]),
        (&json!(kind), &json!("Attic"), &json!("owner"))
    );
    assert_eq!((&room["members"], &room["archived"]), (&json!(1), &json!(false)));
    assert!(room["cursor"].is_string());
    id
}

/// Has somebody be something to a room; the answer.
async fn put(replica: &Replica, token: &str, room: &str, who: &str, body: &Value) -> Response {
    let path = format!("/v1/rooms/{room}/members/{who}");
    call(replica, token, Method::PUT, &path, Some(body)).await
}

async fn end(replica: &Replica, token: &str, room: &str, who: &str) -> Response {
    let path = format!("/v1/rooms/{room}/members/{who}");
    call(replica, token, Method::DELETE, &path, None).await
}

async fn status(response: Response) -> (u16, Value) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["status"].clone())
}

fn applied() -> (u16, Value) {
    (200, json!("applied"))
}

fn unchanged() -> (u16, Value) {
    (200, json!("unchanged"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_group_lives_from_its_making_to_its_end() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let [ada, bob, cid] = ["ada", "bob", "cid"].map(|name| setup.issuer.token(name));
    let room = make(&replica, &ada, "group").await;
    let path = format!("/v1/rooms/{room}");
    assert_problem(replica.get(&bob, &path).await, 404, "unknown-room").await;
    assert_problem(put(&replica, &bob, &room, "bob", &json!({})).await, 404, "unknown-room").await;

    assert_eq!(status(put(&replica, &ada, &room, "bob", &json!({})).await).await, applied());
    assert_eq!(status(put(&replica, &ada, &room, "bob", &json!({})).await).await, unchanged());
    let shown: Value = replica.get(&bob, &path).await.json().await.unwrap();
    assert_eq!((&shown["role"], &shown["members"]), (&json!("member"), &json!(2)));
    assert_eq!(status(put(&replica, &bob, &room, "cid", &json!({})).await).await, applied());
    let owner = json!({ "role": "owner" });
    assert_problem(put(&replica, &bob, &room, "cid", &owner).await, 403, "not-allowed").await;
    assert_problem(put(&replica, &ada, &room, "dan", &owner).await, 404, "not-in-room").await;
    assert_problem(end(&replica, &bob, &room, "cid").await, 403, "not-allowed").await;
    let banned = json!({ "role": "banned" });
    assert_eq!(status(put(&replica, &ada, &room, "cid", &banned).await).await, applied());
    assert_problem(replica.get(&cid, &path).await, 404, "unknown-room").await;
    assert_problem(put(&replica, &bob, &room, "cid", &json!({})).await, 409, "banned").await;
    assert_eq!(status(end(&replica, &ada, &room, "cid").await).await, applied());
    assert_eq!(status(put(&replica, &bob, &room, "cid", &json!({})).await).await, applied());
    assert_eq!(status(end(&replica, &ada, &room, "cid").await).await, applied());
    assert_eq!(status(end(&replica, &ada, &room, "cid").await).await, unchanged());

    let alter = async |token: &str, body: Value| {
        call(&replica, token, Method::PATCH, &path, Some(&body)).await
    };
    assert_problem(alter(&bob, json!({ "name": "Mine" })).await, 403, "not-allowed").await;
    let renamed = alter(&ada, json!({ "name": "Loft" })).await;
    assert_eq!(renamed.status(), 200);
    let renamed: Value = renamed.json().await.unwrap();
    assert_eq!((&renamed["name"], renamed["cursor"].is_string()), (&json!("Loft"), true));
    let again: Value = alter(&ada, json!({ "name": "Loft" })).await.json().await.unwrap();
    assert!(again["cursor"].is_null(), "nothing was written");

    // The last owner goes, and who follows owns it.
    let leave = format!("{path}/members/ada?successor=bob");
    let stranger = format!("{path}/members/ada?successor=eve");
    let gone = call(&replica, &ada, Method::DELETE, &stranger, None).await;
    assert_problem(gone, 409, "no-successor").await;
    let gone = call(&replica, &ada, Method::DELETE, &leave, None).await;
    assert_eq!(status(gone).await, applied());
    assert_problem(replica.get(&ada, &path).await, 404, "unknown-room").await;
    let archived = alter(&bob, json!({ "archived": true })).await;
    assert_eq!(archived.json::<Value>().await.unwrap()["archived"], true);
    let said =
        replica.post(&bob, &json!({ "content": "x", "room_id": room })).send().await.unwrap();
    assert_problem(said, 403, "not-allowed").await;
    assert_problem(put(&replica, &bob, &room, "cid", &json!({})).await, 409, "room-archived").await;
    assert_eq!(call(&replica, &bob, Method::DELETE, &path, None).await.status(), 204);
    let deleted = call(&replica, &bob, Method::DELETE, &path, None).await;
    assert_problem(deleted, 404, "unknown-room").await;
    let rooms_of = setup.collection("rooms_of").await;
    eventually("nobody is in it any more", async || {
        (rooms_of.count_documents(mongodb::bson::doc! {}).await.unwrap() == 0).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_joins_a_public_room_once_and_a_last_owner_who_goes_archives_it() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = make(&one, &ada, "public").await;
    eventually("the other replica has read it", async || {
        (two.get(&bob, &format!("/v1/rooms/{room}")).await.status() == 200).then_some(())
    })
    .await;
    // At both at the same moment.
    let both = join_all([&one, &two].map(|replica| {
        let (room, bob) = (room.clone(), bob.clone());
        async move { status(put(replica, &bob, &room, "bob", &json!({})).await).await }
    }));
    let both = both.await;
    assert!(both.contains(&applied()), "{both:?}");
    assert!(both.iter().all(|answer| [applied(), unchanged()].contains(answer)), "{both:?}");
    assert_eq!(status(end(&one, &ada, &room, "ada").await).await, applied());
    let shown: Value = one.get(&bob, &format!("/v1/rooms/{room}")).await.json().await.unwrap();
    assert_eq!((&shown["archived"], &shown["members"]), (&json!(true), &json!(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_direct_room_is_one_whoever_opens_it_and_wherever_at_the_same_moment() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let tokens = ["ada", "bob"].map(|name| setup.issuer.token(name));
    let open = (0..20).map(|number| {
        let (replica, path) =
            if number % 2 == 0 { (&one, "/v1/direct/bob") } else { (&two, "/v1/direct/ada") };
        let token = tokens[number % 2].clone();
        async move {
            let opened = call(replica, &token, Method::PUT, path, None).await;
            let status = opened.status().as_u16();
            let room: Value = opened.json().await.unwrap();
            (status, room["room_id"].as_str().unwrap().to_owned(), room["members"].clone())
        }
    });
    let opened = join_all(open).await;
    let (_, room, _) = &opened[0];
    for (status, other, members) in &opened {
        assert!([200, 201].contains(status), "{opened:?}");
        assert_eq!((other, members), (room, &json!(2)));
    }
    assert_eq!(opened.iter().filter(|(status, ..)| *status == 201).count(), 1, "{opened:?}");
    // One wants to hear nothing of the other.
    let banned = json!({ "role": "banned" });
    assert_eq!(status(put(&one, &tokens[0], room, "bob", &banned).await).await, applied());
    let said = one.post(&tokens[1], &json!({ "content": "x", "room_id": room }));
    assert_problem(said.send().await.unwrap(), 403, "not-allowed").await;
    assert_problem(end(&one, &tokens[1], room, "ada").await, 409, "direct-room").await;
    assert_eq!(status(end(&one, &tokens[0], room, "bob").await).await, applied());
    let said = one.post(&tokens[1], &json!({ "content": "x", "room_id": room }));
    assert_eq!(said.send().await.unwrap().status(), 202);
    let oneself = call(&one, &tokens[0], Method::PUT, "/v1/direct/ada", None).await;
    assert_problem(oneself, 409, "oneself").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_owners_who_remove_each_other_leave_one() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    for _ in 0..5 {
        let room = make(&one, &ada, "group").await;
        put(&one, &ada, &room, "bob", &json!({})).await;
        put(&one, &ada, &room, "bob", &json!({ "role": "owner" })).await;
        let path = format!("/v1/rooms/{room}");
        eventually("the other replica has read it", async || {
            let shown: Value = two.get(&bob, &path).await.json().await.ok()?;
            (shown["role"] == "owner").then_some(())
        })
        .await;
        let (by_ada, by_bob) =
            tokio::join!(end(&one, &ada, &room, "bob"), end(&two, &bob, &room, "ada"));
        let statuses = [by_ada.status().as_u16(), by_bob.status().as_u16()];
        assert!(statuses.contains(&200) && statuses.contains(&404), "{statuses:?}");
        eventually("both replicas know who is left", async || {
            let left = [one.get(&ada, &path).await, two.get(&bob, &path).await];
            let left = left.iter().filter(|answer| answer.status() == 200).count();
            (left == 1).then_some(())
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn with_a_key_a_room_is_made_once() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let make = async |token: &str, name: &str| {
        let request = replica.http.post(replica.url("/v1/rooms")).bearer_auth(token);
        let body = json!({ "name": name, "kind": "group" });
        request.header("idempotency-key", "k").json(&body).send().await.unwrap()
    };
    let first = make(&ada, "Attic").await;
    assert_eq!(first.status(), 201);
    let first: Value = first.json().await.unwrap();
    let again = make(&ada, "Cellar").await;
    assert_eq!(again.status(), 200);
    let again: Value = again.json().await.unwrap();
    assert_eq!((&again["room_id"], &again["name"]), (&first["room_id"], &json!("Attic")));
    let other: Value = make(&bob, "Attic").await.json().await.unwrap();
    assert_ne!(other["room_id"], first["room_id"], "a key is its sender's own");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_wrong_is_named_and_nothing_comes_into_the_log() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let ada = setup.issuer.token("ada");
    let (long, blank) = ("x".repeat(129), "\u{200b} ");
    let cases = [
        (json!({}), "missing-field", "name"),
        (json!({ "name": "A" }), "missing-field", "kind"),
        (json!({ "name": "", "kind": "group" }), "wrong-type", "name"),
        (json!({ "name": blank, "kind": "group" }), "wrong-type", "name"),
        (json!({ "name": long, "kind": "group" }), "wrong-type", "name"),
        (json!({ "name": "a\u{7}b", "kind": "group" }), "wrong-type", "name"),
        (json!({ "name": 1, "kind": "group" }), "wrong-type", "name"),
        (json!({ "name": "A", "kind": "direct" }), "wrong-type", "kind"),
        (json!({ "name": "A", "kind": "group", "id": "x" }), "unknown-field", "id"),
    ];
    for (body, name, field) in cases {
        let answer = call(&replica, &ada, Method::POST, "/v1/rooms", Some(&body)).await;
        let problem = assert_problem(answer, 400, name).await;
        assert_eq!(problem["fields"], json!([field]), "{problem}");
    }
    let room = make(&replica, &ada, "group").await;
    let path = format!("/v1/rooms/{room}");
    for body in [json!({}), json!({ "archived": "yes" }), json!({ "kind": "direct" })] {
        let answer = call(&replica, &ada, Method::PATCH, &path, Some(&body)).await;
        assert_eq!(answer.status(), 400, "{body}");
    }
    for body in [json!({ "role": "king" }), json!({ "successor": "" }), json!({ "x": 1 })] {
        assert_eq!(put(&replica, &ada, &room, "bob", &body).await.status(), 400, "{body}");
    }
    let unknown = format!("{path}/members/ada?x=1");
    let unknown = call(&replica, &ada, Method::DELETE, &unknown, None).await;
    assert_problem(unknown, 400, "unknown-parameter").await;
    for path in ["/v1/rooms/ATTIC", "/v1/rooms/%00", "/v1/rooms/a%2Fb"] {
        assert_problem(replica.get(&ada, path).await, 404, "unknown-room").await;
    }
    let nobody = put(&replica, &ada, &room, &"x".repeat(256), &json!({})).await;
    assert_problem(nobody, 404, "unknown-person").await;
    for (method, body) in [(Method::PATCH, json!({ "name": "Mine" })), (Method::DELETE, json!({}))]
    {
        let lobby = call(&replica, &ada, method, "/v1/rooms/lobby", Some(&body)).await;
        assert_problem(lobby, 403, "not-allowed").await;
    }
    let lobby: Value = replica.get(&ada, "/v1/rooms/lobby").await.json().await.unwrap();
    assert_eq!(lobby["kind"], "public");
    let changes = setup.collection("changes").await;
    eventually("only the one room is there", async || {
        (changes.count_documents(mongodb::bson::doc! {}).await.unwrap() == 1).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_open_is_refused_each_apart() {
    let setup = Setup::new().await;
    let ada = setup.issuer.token("ada");
    let open = |name: &str| {
        let kind = chat_api::ingest::NewKind::of_name(name).unwrap();
        setup.replica_with(move |config| config.args.writes.chat_writes = vec![kind])
    };
    let (rooms, members) = (open("room").await, open("member").await);
    let room = make(&rooms, &ada, "group").await;
    let refused = put(&rooms, &ada, &room, "bob", &json!({})).await;
    let problem = assert_problem(refused, 503, "not-open-yet").await;
    assert!(problem["detail"].as_str().unwrap().contains("member"), "{problem}");
    let body = json!({ "name": "A", "kind": "group" });
    let refused = call(&members, &ada, Method::POST, "/v1/rooms", Some(&body)).await;
    assert_problem(refused, 503, "not-open-yet").await;
    eventually("what is open is done", async || {
        let done = put(&members, &ada, &room, "bob", &json!({})).await;
        (done.status() == 200).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_pin_messages_and_owners_delete_those_of_others() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = make(&replica, &ada, "public").await;
    put(&replica, &ada, &room, "bob", &json!({})).await;
    let body = json!({ "content": "rules", "room_id": room });
    let said: Value = replica.post(&bob, &body).send().await.unwrap().json().await.unwrap();
    let id = said["message_id"].as_str().unwrap();
    let pins = format!("/v1/rooms/{room}/pins/{id}");
    let eve = setup.issuer.token("eve");
    let refused = call(&replica, &eve, Method::PUT, &pins, None).await;
    assert_problem(refused, 403, "not-allowed").await;
    assert_eq!(call(&replica, &ada, Method::PUT, &pins, None).await.status(), 202);
    let message = format!("/v1/messages/{id}");
    let shown = eventually("it is pinned", async || {
        let shown: Value = replica.get(&bob, &message).await.json().await.ok()?;
        (shown["pinned"] == true).then_some(shown)
    })
    .await;
    assert_eq!(shown["content"], "rules");
    assert_eq!(call(&replica, &bob, Method::PUT, &pins, None).await.status(), 200, "it is");
    assert_eq!(call(&replica, &bob, Method::DELETE, &pins, None).await.status(), 202);
    let elsewhere = format!("/v1/rooms/lobby/pins/{id}");
    let elsewhere = call(&replica, &ada, Method::PUT, &elsewhere, None).await;
    assert_problem(elsewhere, 404, "unknown-message").await;
    let lobby = replica.say(&ada, "in the lobby").await;
    let lobby = format!("/v1/rooms/lobby/pins/{}", lobby["message_id"].as_str().unwrap());
    let lobby = call(&replica, &ada, Method::PUT, &lobby, None).await;
    assert_problem(lobby, 403, "not-allowed").await;

    let text = json!({ "content": "x" });
    let edited = call(&replica, &ada, Method::PATCH, &message, Some(&text)).await;
    assert_problem(edited, 403, "foreign-message").await;
    assert_eq!(call(&replica, &ada, Method::DELETE, &message, None).await.status(), 202);
    let pinned = call(&replica, &bob, Method::PUT, &pins, None).await;
    assert_problem(pinned, 410, "message-deleted").await;
}
