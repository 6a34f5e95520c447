//! People: filled from tokens, found by name, address and id

mod limits;
mod members;
mod outage;
mod search;
mod tokens;

use serde_json::{Value, json};

use crate::setup::{Replica, Setup, eventually};

/// Somebody of that name shows a token.
async fn shows_a_token(setup: &Setup, replica: &Replica, id: &str, claims: &Value) {
    let token = setup.issuer.token_with(id, claims);
    assert_eq!(replica.get(&token, "/v1/users/me").await.status(), 200);
}

/// Somebody of that name shows a token, and is found.
async fn is_known(setup: &Setup, replica: &Replica, id: &str, name: &str) {
    shows_a_token(setup, replica, id, &json!({ "name": name })).await;
    is_stored(setup, replica, id, name).await;
}

/// A token of somebody who is nobody's to be found.
fn looks(setup: &Setup) -> String {
    setup.issuer.token_with("somebody-who-looks", &json!({ "name": "?" }))
}

/// Waits until others are told that name of somebody.
async fn is_stored(setup: &Setup, replica: &Replica, id: &str, name: &str) {
    let token = looks(setup);
    eventually("the name is stored", async || {
        let found = found(replica, &token, &[("ids", id)]).await;
        (found == [(id.to_owned(), name.to_owned())]).then_some(())
    })
    .await;
}

/// Who is found: ids and names, and nothing else of anybody.
async fn found(replica: &Replica, token: &str, query: &[(&str, &str)]) -> Vec<(String, String)> {
    let people: Vec<Value> = eventually("the indexes are there", async || {
        let request = replica.http.get(replica.url("/v1/users")).bearer_auth(token).query(query);
        let response = request.send().await.unwrap();
        let is_answered = response.status() != 503;
        assert!(!is_answered || response.status() == 200, "{query:?}: {}", response.status());
        if is_answered { response.json().await.ok() } else { None }
    })
    .await;
    let person = |person: &Value| {
        let fields: Vec<&String> = person.as_object().unwrap().keys().collect();
        assert_eq!(fields, ["user_id", "user_name"]);
        let text = |field: &str| person[field].as_str().unwrap().to_owned();
        (text("user_id"), text("user_name"))
    };
    people.iter().map(person).collect()
}

/// The ids of whoever is found by a name or an address, in their order.
async fn ids(replica: &Replica, token: &str, q: &str) -> Vec<String> {
    let mut ids: Vec<String> =
        found(replica, token, &[("q", q)]).await.into_iter().map(|(id, _)| id).collect();
    ids.sort();
    ids
}
