//! `/v1/rooms/{room_id}/members`: who is in a room.

use futures_util::future::join_all;
use serde_json::{Value, json};

use super::{applied, end, make, put, status};
use crate::setup::{Setup, assert_problem, eventually};

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_join_and_leave_and_every_replica_and_the_archive_have_the_same_members() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let ada = setup.issuer.token("ada");
    let room = make(&one, &ada, "public").await;
    let names: Vec<String> = (0..1_000).map(|number| format!("p{number}")).collect();
    for some in names.chunks(100) {
        let storm = some.iter().enumerate().map(|(number, name)| {
            let (token, room) = (setup.issuer.token(name), &room);
            let replicas = [&one, &two];
            async move {
                // More come at once than are let read at once.
                let joined = eventually("it is their turn", async || {
                    let joined = put(replicas[number % 2], &token, room, name, &json!({})).await;
                    Some(joined.status()).filter(|status| *status != 503)
                })
                .await;
                assert!([200, 404].contains(&joined.as_u16()), "{joined}");
                if number % 3 == 0 {
                    // By the other one, which may not have read it.
                    end(replicas[(number + 1) % 2], &token, room, name).await;
                }
            }
        });
        join_all(storm).await;
    }
    let path = format!("/v1/rooms/{room}");
    let members = setup.collection("members").await;
    eventually("all agree", async || {
        let one: Value = one.get(&ada, &path).await.json().await.unwrap();
        let two: Value = two.get(&ada, &path).await.json().await.unwrap();
        let is_in = mongodb::bson::doc! { "standing": { "$in": ["member", "owner"] } };
        let stored = members.count_documents(is_in).await.unwrap();
        let all = [one["members"].as_u64()?, two["members"].as_u64()?, stored];
        (all[0] == all[1] && all[1] == all[2] && all[0] > 600).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn members_are_listed_to_members_page_by_page() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let ada = setup.issuer.token("ada");
    let room = make(&replica, &ada, "public").await;
    for number in 0..7 {
        let name = format!("p{number}");
        let token = setup.issuer.token(&name);
        assert_eq!(status(put(&replica, &token, &room, &name, &json!({})).await).await, applied());
    }
    end(&replica, &ada, &room, "p3").await;
    put(&replica, &ada, &room, "p4", &json!({ "role": "banned" })).await;
    put(&replica, &ada, &room, "p5", &json!({ "role": "owner" })).await;
    let path = format!("/v1/rooms/{room}/members");
    let expected: Vec<Value> = [
        ("ada", "owner"),
        ("p0", "member"),
        ("p1", "member"),
        ("p2", "member"),
        ("p5", "owner"),
        ("p6", "member"),
    ]
    .map(|(user_id, role)| {
        let name = format!("Name of {user_id}");
        json!({ "user_id": user_id, "user_name": name, "role": role })
    })
    .into();
    eventually("the archive has them", async || {
        let all: Vec<Value> = replica.get(&ada, &path).await.json().await.ok()?;
        (all == expected).then_some(())
    })
    .await;
    let (mut listed, mut next) = (Vec::new(), Some(format!("{path}?limit=2")));
    while let Some(path) = next {
        let page = replica.get(&ada, &path).await;
        assert_eq!(page.status(), 200);
        let link = page.headers().get("link").map(|link| link.to_str().unwrap().to_owned());
        next = link.map(|link| link[1..].split_once('>').unwrap().0.to_owned());
        listed.extend(page.json::<Vec<Value>>().await.unwrap());
    }
    assert_eq!(listed, expected);
    let stranger = replica.get(&setup.issuer.token("eve"), &path).await;
    assert_problem(stranger, 403, "not-allowed").await;
    let gone = replica.get(&setup.issuer.token("p3"), &path).await;
    assert_problem(gone, 403, "not-allowed").await;
    for query in ["limit=0", "limit=201", "after=", "x=1", "limit=2&limit=2"] {
        assert_eq!(replica.get(&ada, &format!("{path}?{query}")).await.status(), 400, "{query}");
    }
    let lobby = replica.get(&ada, "/v1/rooms/lobby/members").await;
    assert_problem(lobby, 403, "not-allowed").await;
}
