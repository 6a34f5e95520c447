//! `/v1/rooms` as a list, and how many rooms one may have.

use reqwest::Method;
use serde_json::{Value, json};

use super::{applied, call, make, put, status};
use crate::setup::{Setup, assert_problem, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn nobody_makes_more_rooms_a_day_than_they_may_and_direct_ones_do_not_count() {
    let setup = Setup::new().await;
    let few = std::num::NonZeroU32::new(3).unwrap();
    let replica = setup.replica_with(|config| config.args.limits.limit_rooms_per_day = few).await;
    let ada = setup.issuer.token("ada");
    for _ in 0..3 {
        make(&replica, &ada, "group").await;
    }
    let body = json!({ "name": "Attic", "kind": "group" });
    let refused = call(&replica, &ada, Method::POST, "/v1/rooms", Some(&body)).await;
    assert!(refused.headers().contains_key("retry-after"));
    assert_problem(refused, 429, "room-quota").await;
    let direct = call(&replica, &ada, Method::PUT, "/v1/direct/bob", None).await;
    assert_eq!(direct.status(), 201);
    make(&replica, &setup.issuer.token("bob"), "group").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_is_in_more_than_a_thousand_rooms() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let room = make(&replica, &bob, "public").await;
    let rooms_of = setup.collection("rooms_of").await;
    let fill = (0..1_000).map(|number| {
        let (id, room) = (format!("ada/r{number}"), format!("r{number}"));
        mongodb::bson::doc! { "_id": id, "room_id": room, "user_id": "ada", "standing": "member", "pos": 0_i64 }
    });
    rooms_of.insert_many(fill).await.unwrap();
    let refused = put(&replica, &ada, &room, "ada", &json!({})).await;
    assert_problem(refused, 409, "too-many-rooms").await;
    let refused = put(&replica, &bob, &room, "ada", &json!({})).await;
    assert_problem(refused, 409, "too-many-rooms").await;
    let refused = call(&replica, &bob, Method::PUT, "/v1/direct/ada", None).await;
    assert_problem(refused, 409, "too-many-rooms").await;
    rooms_of.delete_one(mongodb::bson::doc! { "_id": "ada/r7" }).await.unwrap();
    assert_eq!(status(put(&replica, &ada, &room, "ada", &json!({})).await).await, applied());
}

#[tokio::test(flavor = "multi_thread")]
async fn my_rooms_are_listed_with_what_was_said_last_those_that_are_active_first() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, bob) = (setup.issuer.token("ada"), setup.issuer.token("bob"));
    let none: Vec<Value> = replica.get(&ada, "/v1/rooms").await.json().await.unwrap();
    assert!(none.is_empty());
    let mut rooms = Vec::new();
    for _ in 0..5 {
        rooms.push(make(&replica, &ada, "group").await);
    }
    make(&replica, &bob, "public").await;
    let direct = call(&replica, &bob, Method::PUT, "/v1/direct/ada", None).await;
    rooms.push(direct.json::<Value>().await.unwrap()["room_id"].as_str().unwrap().to_owned());
    for room in [&rooms[1], &rooms[3]] {
        let body = json!({ "content": format!("in {room}"), "room_id": room });
        assert_eq!(replica.post(&ada, &body).send().await.unwrap().status(), 202);
    }
    let gone = &rooms[2];
    assert_eq!(
        call(&replica, &ada, Method::DELETE, &format!("/v1/rooms/{gone}"), None).await.status(),
        204
    );
    let expected = [&rooms[3], &rooms[1], &rooms[5], &rooms[4], &rooms[0]];
    let ids = |page: &[Value]| -> Vec<String> {
        page.iter().map(|room| room["room_id"].as_str().unwrap().to_owned()).collect()
    };
    let all = eventually("the archive has them", async || {
        let all: Vec<Value> = replica.get(&ada, "/v1/rooms").await.json().await.ok()?;
        (ids(&all) == expected.map(String::clone) && all[1]["last"].is_object()).then_some(all)
    })
    .await;
    assert_eq!(all[0]["last"]["content"], format!("in {}", rooms[3]));
    assert_eq!((&all[2]["kind"], &all[2]["role"]), (&json!("direct"), &json!("member")));
    assert!(all[3].get("last").is_none());
    let (mut listed, mut next) = (Vec::new(), Some("/v1/rooms?limit=2".to_owned()));
    while let Some(path) = next {
        let page = replica.get(&ada, &path).await;
        let link = page.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        next = link.map(|link| link[1..].split_once('>').unwrap().0.to_owned());
        listed.extend(page.json::<Vec<Value>>().await.unwrap());
    }
    assert_eq!(listed, all);
    for query in
        ["after=x", "after=1.ATTIC", "after=.attic", "after=9999999999999999999.a", "limit=0"]
    {
        assert_eq!(replica.get(&ada, &format!("/v1/rooms?{query}")).await.status(), 400, "{query}");
    }
}
