//! Names in the list of a room's members

use chat_api::message::Visibility;
use chat_api::rooms::Command;
use serde_json::{Value, json};

use super::{is_known, shows_a_token};
use crate::rooms::has_read;
use crate::setup::changer::{Changer, person};
use crate::setup::{Replica, Setup, eventually};

async fn members(replica: &Replica, token: &str, query: &str) -> Value {
    let response = replica.get(token, &format!("/v1/rooms/attic/members{query}")).await;
    assert_eq!(response.status(), 200);
    response.json().await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_have_the_names_that_their_tokens_said_last_and_who_never_came_has_none() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let changer = Changer::made(&setup, "attic", Visibility::Group, &["bob", "cid", "dan"]).await;
    for (id, name) in [("ada", "Ada Lovelace"), ("cid", "Cid"), ("eve", "Eve"), ("dan", "Dan")] {
        is_known(&setup, &replica, id, name).await;
    }
    let ada = setup.issuer.token_with("ada", &json!({ "name": "Ada Lovelace" }));
    has_read(&replica, &ada, &changer).await;
    let all = eventually("all are stored", async || {
        let all = members(&replica, &ada, "").await;
        (all.as_array()?.len() == 4).then_some(all)
    })
    .await;
    let expected = json!([
        { "user_id": "ada", "user_name": "Ada Lovelace", "role": "owner" },
        { "user_id": "bob", "role": "member" },
        { "user_id": "cid", "user_name": "Cid", "role": "member" },
        { "user_id": "dan", "user_name": "Dan", "role": "member" },
    ]);
    assert_eq!(all, expected, "and nobody who is in no room");
    let page = members(&replica, &ada, "?after=bob&limit=1").await;
    assert_eq!(page, json!([expected[2]]));
    assert_eq!(members(&replica, &ada, "?after=dan").await, json!([]));

    shows_a_token(&setup, &replica, "cid", &json!({ "name": "Cid Campeador" })).await;
    eventually("the new name is shown", async || {
        let all = members(&replica, &ada, "").await;
        (all[2]["user_name"] == "Cid Campeador").then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_page_of_members_has_all_of_their_names() {
    const CROWD: usize = 250;
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    is_known(&setup, &replica, "ada", "Ada").await;
    let mut changer = Changer::made(&setup, "attic", Visibility::Group, &[]).await;
    let people = setup.collection("people").await;
    let crowd: Vec<String> = (0..CROWD).map(|number| format!("crowd-{number:03}")).collect();
    let document = |id: &String| {
        mongodb::bson::doc! { "_id": id, "name": format!("The {id}"), "name_keys": [id] }
    };
    people.insert_many(crowd.iter().map(document)).await.unwrap();
    for id in &crowd {
        changer.change("ada", &Command::Invite(person(id))).await;
    }
    let ada = setup.issuer.token_with("ada", &json!({ "name": "Ada" }));
    has_read(&replica, &ada, &changer).await;
    let page = eventually("all are stored", async || {
        let page = members(&replica, &ada, "?after=crowd-000&limit=200").await;
        (page.as_array()?.len() == 200).then_some(page)
    })
    .await;
    for (member, id) in page.as_array().unwrap().iter().zip(&crowd[1..]) {
        assert_eq!(member["user_id"], json!(id));
        assert_eq!(member["user_name"], json!(format!("The {id}")));
    }
}
