//! People while MongoDB is away, or does not take them

use std::time::{Duration, Instant};

use devstack::mongodb::ReplicaSet;
use mongodb::bson::doc;
use serde_json::json;

use super::{is_known, is_stored, shows_a_token};
use crate::setup::program::Alone;
use crate::setup::{Replica, Setup, assert_problem, eventually};

/// Signing in needs nothing of MongoDB; waiting for it would take five seconds.
const AT_ONCE: Duration = Duration::from_secs(2);
/// A read is given up after five seconds.
const GIVEN_UP: Duration = Duration::from_secs(9);

async fn on_a_database_of_its_own(home: &tempfile::TempDir) -> (ReplicaSet, Setup, Replica) {
    let mongodb = ReplicaSet::start_private(home.path()).await.unwrap();
    let setup = Setup::on(&devstack::shared::kafka_brokers().unwrap(), mongodb.uri()).await;
    let replica = setup.replica().await;
    is_known(&setup, &replica, "ada", "Ada").await;
    (mongodb, setup, replica)
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_database_people_sign_in_at_once_and_are_known_when_it_is_back() {
    let home = tempfile::tempdir().unwrap();
    let (mongodb, setup, replica) = on_a_database_of_its_own(&home).await;
    mongodb.freeze();
    for number in 0..20 {
        let asked = Instant::now();
        let claims = json!({ "name": format!("Newcomer {number}") });
        shows_a_token(&setup, &replica, &format!("n{number}"), &claims).await;
        let token = setup.issuer.token_with("ada", &json!({ "name": format!("Ada {number}") }));
        replica.say(&token, "hi").await;
        let _socket = replica.socket(&token).await;
        assert!(asked.elapsed() < AT_ONCE, "it took {:?}", asked.elapsed());
    }
    let (asked, token) = (Instant::now(), setup.issuer.token("ada"));
    for path in ["/v1/users?q=ada", "/v1/users?q=ada@example.org", "/v1/users?ids=ada"] {
        let response = replica.get(&token, path).await;
        assert_eq!(response.headers()["retry-after"], "5");
        assert_problem(response, 503, "people-unavailable").await;
    }
    assert!(asked.elapsed() < 3 * GIVEN_UP, "it took {:?}", asked.elapsed());
    mongodb.thaw();
    eventually("people are found again", async || {
        (replica.get(&token, "/v1/users?q=ada").await.status() == 200).then_some(())
    })
    .await;
    for number in 0..20 {
        is_stored(&setup, &replica, &format!("n{number}"), &format!("Newcomer {number}")).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn whom_the_database_does_not_take_keeps_nobody_else_waiting() {
    let setup = Setup::new().await;
    let alone = Alone::start(&setup);
    alone.shows(&[r#"chat_people_total{outcome="stored"} 0"#]).await;
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let database = client.database(&setup.database);
    let refuse = doc! { "collMod": "people", "validator": { "name": { "$ne": "Refused" } } };
    eventually("the collection is there", async || database.run_command(refuse.clone()).await.ok())
        .await;
    for (id, name) in [("eve", "Refused"), ("ada", "Ada"), ("bob", "Bob")] {
        let token = setup.issuer.token_with(id, &json!({ "name": name }));
        let url = format!("http://{}/v1/users/me", alone.address);
        eventually("it answers", async || {
            let response = alone.http.get(&url).bearer_auth(&token).send().await.ok()?;
            (response.status() == 200).then_some(())
        })
        .await;
    }
    alone
        .shows(&[
            r#"chat_people_total{outcome="stored"} 2"#,
            r#"chat_people_total{outcome="refused"} 1"#,
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_whom_this_release_cannot_read_hides_nobody() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    is_known(&setup, &replica, "ada", "Ada").await;
    let people = setup.collection("people").await;
    for strange in [
        doc! { "_id": "x1", "name": 7, "name_keys": ["ada strange"] },
        doc! { "_id": "x2", "name_keys": ["ada stranger"] },
        doc! { "_id": 3, "name": "Ada", "name_keys": ["ada the strangest"] },
    ] {
        people.insert_one(strange).await.unwrap();
    }
    let token = setup.issuer.token("bob");
    assert_eq!(super::ids(&replica, &token, "ada").await, ["ada"]);
}
