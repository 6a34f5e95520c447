//! `/v1/rooms?scope=public`: rooms that everybody may read, found by their names.

use mongodb::bson::{Document, doc};
use reqwest::Method;
use serde_json::{Value, json};

use super::call;
use crate::setup::{Replica, Setup, assert_problem, eventually};

/// Makes a room; its id.
async fn make(replica: &Replica, token: &str, kind: &str, name: &str) -> String {
    let body = json!({ "name": name, "kind": kind });
    let made = call(replica, token, Method::POST, "/v1/rooms", Some(&body)).await;
    let made: Value = made.json().await.unwrap();
    made["room_id"].as_str().unwrap().to_owned()
}

/// The names of the rooms that are found.
async fn found(replica: &Replica, token: &str, query: &str) -> Vec<String> {
    let path = format!("/v1/rooms?scope=public{query}");
    let answer = replica.get(token, &path).await;
    assert_eq!(answer.status(), 200, "{query}");
    let rooms: Vec<Value> = answer.json().await.unwrap();
    rooms.iter().map(|room| room["name"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn public_rooms_are_found_by_the_words_of_their_names_and_no_others() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let (ada, eve) = (setup.issuer.token("ada"), setup.issuer.token("eve"));
    let garden = make(&replica, &ada, "public", "Garten im Süden").await;
    make(&replica, &ada, "public", "Attic").await;
    make(&replica, &ada, "group", "Garten, geheim").await;
    eventually("both are stored", async || {
        (found(&replica, &eve, "").await == ["Attic", "Garten im Süden"]).then_some(())
    })
    .await;
    assert_eq!(found(&replica, &eve, "&q=sud").await, ["Garten im Süden"]);
    assert_eq!(found(&replica, &eve, "&q=GART").await, ["Garten im Süden"]);
    assert_eq!(found(&replica, &eve, "&q=geheim").await, Vec::<String>::new());
    assert_eq!(found(&replica, &eve, "&limit=1").await, ["Attic"]);
    let listed: Vec<Value> =
        replica.get(&eve, "/v1/rooms?scope=public&q=gart").await.json().await.unwrap();
    let expected = json!({
        "room_id": garden, "kind": "public", "name": "Garten im Süden", "archived": false,
    });
    assert_eq!(listed, [expected]);

    // What it is called and who may read it are what it is found by, from then on.
    let path = format!("/v1/rooms/{garden}");
    let renamed = json!({ "name": "Hof" });
    assert_eq!(call(&replica, &ada, Method::PATCH, &path, Some(&renamed)).await.status(), 200);
    eventually("it is found by its name", async || {
        (found(&replica, &eve, "&q=hof").await == ["Hof"]).then_some(())
    })
    .await;
    assert_eq!(found(&replica, &eve, "&q=gart").await, Vec::<String>::new());
    let closed = json!({ "kind": "group" });
    assert_eq!(call(&replica, &ada, Method::PATCH, &path, Some(&closed)).await.status(), 200);
    eventually("it is closed", async || {
        (found(&replica, &eve, "").await == ["Attic"]).then_some(())
    })
    .await;
    let gone = make(&replica, &ada, "public", "Gone").await;
    eventually("it is there", async || {
        (found(&replica, &eve, "&q=gone").await.len() == 1).then_some(())
    })
    .await;
    let path = format!("/v1/rooms/{gone}");
    assert_eq!(call(&replica, &ada, Method::DELETE, &path, None).await.status(), 204);
    eventually("it is gone", async || {
        found(&replica, &eve, "&q=gone").await.is_empty().then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn finding_looks_at_no_more_rooms_than_it_answers() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let ada = setup.issuer.token("ada");
    let rooms = setup.collection("rooms").await;
    eventually("the index is there", async || {
        let names = rooms.list_index_names().await.ok()?;
        names.iter().any(|name| name == "name_keys").then_some(())
    })
    .await;
    let many = (0..500).map(|number| {
        doc! {
            "_id": format!("room-{number}"), "kind": "public", "phase": "open", "name": "Attic",
            "at": 0_i64, "pos": 0_i64, "name_keys": ["attic"],
        }
    });
    rooms.insert_many(many).await.unwrap();
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let database = client.database(&setup.database);
    database.run_command(doc! { "profile": 2 }).await.unwrap();
    assert_eq!(found(&replica, &ada, "&q=att&limit=20").await.len(), 20);
    database.run_command(doc! { "profile": 0 }).await.unwrap();
    let of_rooms = doc! { "op": "query", "ns": format!("{}.rooms", setup.database) };
    let profile = database.collection::<Document>("system.profile");
    let asked = profile.find_one(of_rooms).await.unwrap().unwrap();
    assert!(asked.get_i32("keysExamined").unwrap() <= 21, "{asked}");
    assert!(asked.get_i32("docsExamined").unwrap() <= 20, "{asked}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_for_is_named() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let ada = setup.issuer.token("ada");
    let long = "x".repeat(255);
    for (query, field) in [
        ("scope=all", "scope"),
        ("scope=public&q=", "q"),
        ("scope=public&q=%2C%20", "q"),
        (&format!("scope=public&q={long}"), "q"),
        ("q=attic", "q"),
        ("scope=public&after=1.attic", "after"),
        ("scope=public&limit=0", "limit"),
        ("scope=public&scope=public", "scope"),
    ] {
        let refused = replica.get(&ada, &format!("/v1/rooms?{query}")).await;
        let problem = assert_problem(refused, 400, "invalid-parameter").await;
        assert_eq!(problem["fields"], json!([field]), "{query}");
    }
}
