//! How people become known: by their tokens, each of which is right until a later one says something else

use futures_util::future::join_all;
use mongodb::bson::{Document, doc};
use serde_json::json;

use super::{ids, is_known, is_stored, shows_a_token};
use crate::setup::program::Alone;
use crate::setup::socket::Socket;
use crate::setup::{Replica, Setup, eventually};

async fn document(setup: &Setup, id: &str) -> Option<Document> {
    setup.collection("people").await.find_one(doc! { "_id": id }).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn whichever_way_a_token_comes_its_person_is_known() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let name = |id: &str| format!("Name of {id}");
    replica.get(&setup.issuer.token("reader"), "/v1/messages").await;
    is_stored(&setup, &replica, "reader", &name("reader")).await;
    replica.say(&setup.issuer.token("writer"), "hi").await;
    is_stored(&setup, &replica, "writer", &name("writer")).await;
    let _by_header = replica.socket(&setup.issuer.token("header")).await;
    is_stored(&setup, &replica, "header", &name("header")).await;
    let mut socket = Socket::connect(&replica, None).await;
    socket.send(&json!({ "type": "auth", "token": setup.issuer.token("frame") })).await;
    socket.expect("ready").await;
    is_stored(&setup, &replica, "frame", &name("frame")).await;
    let fresh = setup.issuer.token_with("frame", &json!({ "name": "Frame, renewed" }));
    socket.send(&json!({ "type": "auth", "token": fresh })).await;
    socket.expect("ready").await;
    is_stored(&setup, &replica, "frame", "Frame, renewed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_does_not_pass_makes_nobody_known() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for token in [
        setup.issuer.token_until("mallory", -60),
        setup.issuer.token_with("mallory", &json!({ "aud": "other-app" })),
    ] {
        assert_eq!(replica.get(&token, "/v1/users/me").await.status(), 401);
    }
    // Whoever comes after them is stored after them.
    is_known(&setup, &replica, "ada", "Ada").await;
    assert_eq!(document(&setup, "mallory").await, None);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_later_token_is_right_whenever_and_wherever_it_comes() {
    let setup = Setup::new().await;
    let (one, two) = (setup.replica().await, setup.replica().await);
    let now = chrono::Utc::now().timestamp();
    let claims = |name: &str, age: i64, email: &str| json!({ "name": name, "iat": now - age, "email": email, "email_verified": true });
    shows_a_token(&setup, &one, "ada", &claims("Ada Byron", 300, "byron@example.org")).await;
    is_stored(&setup, &one, "ada", "Ada Byron").await;
    shows_a_token(&setup, &two, "ada", &claims("Ada Lovelace", 100, "lovelace@example.org")).await;
    is_stored(&setup, &one, "ada", "Ada Lovelace").await;
    // One of before, at a replica that has seen it, and at one that has not.
    for (replica, name) in [(&one, "Ada Early"), (&two, "Ada Earlier")] {
        shows_a_token(&setup, replica, "ada", &claims(name, 200, "early@example.org")).await;
        is_known(&setup, replica, "after-her", name).await;
        is_stored(&setup, replica, "ada", "Ada Lovelace").await;
    }
    let token = setup.issuer.token("bob");
    assert_eq!(ids(&one, &token, "lovelace@example.org").await, ["ada"]);
    for gone in ["byron@example.org", "early@example.org", "byron"] {
        assert!(ids(&one, &token, gone).await.is_empty(), "{gone}");
    }

    // What the issuer does not vouch for any more is not stored any more.
    let unverified = json!({ "name": "Ada Lovelace", "iat": now, "email": "lovelace@example.org" });
    shows_a_token(&setup, &one, "ada", &unverified).await;
    eventually("the address is gone", async || {
        ids(&one, &token, "lovelace@example.org").await.is_empty().then_some(())
    })
    .await;
    assert!(!document(&setup, "ada").await.unwrap().contains_key("email_key"));
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_tokens_at_the_same_moment_the_latest_one_stays() {
    const TOKENS: i64 = 60;
    let setup = Setup::new().await;
    let replicas = [setup.replica().await, setup.replica().await];
    let now = chrono::Utc::now().timestamp();
    let show = async |replica: &Replica, age: i64| {
        let claims = json!({ "name": format!("Ada {age}"), "iat": now - age });
        shows_a_token(&setup, replica, "ada", &claims).await;
    };
    let show = &show;
    join_all((0..TOKENS).map(|number| {
        // Neither in their order nor against it.
        let age = (number * 37) % TOKENS;
        let replica = &replicas[usize::try_from(number % 2).unwrap()];
        async move { show(replica, age).await }
    }))
    .await;
    for (number, replica) in replicas.iter().enumerate() {
        // Written after all that this replica was shown before.
        let last = format!("last-of-{number}");
        is_known(&setup, replica, &last, "Last").await;
    }
    is_stored(&setup, &replicas[0], "ada", "Ada 0").await;
    let people = setup.collection("people").await;
    assert_eq!(people.count_documents(doc! { "_id": "ada" }).await.unwrap(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_stored_already_is_not_stored_again() {
    let setup = Setup::new().await;
    let alone = Alone::start(&setup);
    let now = chrono::Utc::now().timestamp();
    let show = async |id: &str, name: &str, age: i64| {
        let token = setup.issuer.token_with(id, &json!({ "name": name, "iat": now - age }));
        let url = format!("http://{}/v1/users/me", alone.address);
        eventually("it answers", async || {
            let response = alone.http.get(&url).bearer_auth(&token).send().await.ok()?;
            (response.status() == 200).then_some(())
        })
        .await;
    };
    for request in 0..50 {
        // Of five tokens, which all say the same.
        show("ada", "Ada", 10 + request % 5).await;
    }
    show("bob", "Bob", 0).await;
    alone.shows(&[r#"chat_people_total{outcome="stored"} 2"#]).await;
    show("ada", "Ada L.", 0).await;
    alone
        .shows(&[
            r#"chat_people_total{outcome="stored"} 3"#,
            r#"chat_people_total{outcome="dropped"} 0"#,
            r#"chat_people_total{outcome="refused"} 0"#,
        ])
        .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_document_has_what_a_search_needs_and_nothing_else() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let claims = json!({ "name": "Zoë Ö", "email": "Zoe@Example.org", "email_verified": true, "groups": ["staff"], "iat": 1_700_000_000 });
    shows_a_token(&setup, &replica, "zoe", &claims).await;
    is_stored(&setup, &replica, "zoe", "Zoë Ö").await;
    let expected = doc! {
        "_id": "zoe",
        "name": "Zoë Ö",
        "name_keys": ["o", "zoe o"],
        "seen": mongodb::bson::DateTime::from_millis(1_700_000_000_000),
        "email_key": "zoe@example.org",
    };
    assert_eq!(document(&setup, "zoe").await, Some(expected));
}
