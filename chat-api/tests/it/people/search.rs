//! Who is found by what

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use serde_json::{Value, json};

use super::{found, ids, is_known, is_stored, looks, shows_a_token};
use crate::setup::{Replica, Setup, assert_problem, eventually};

const NAMES: [(&str, &str); 6] = [
    ("ada", "Ada Lovelace"),
    ("zoe", "Zoë Müller"),
    ("luc", "Jean-Luc Picard"),
    ("ivan", "Иван Йорданов"),
    ("mono", "Monolith"),
    ("club", "🦄 Club"),
];

#[tokio::test(flavor = "multi_thread")]
async fn a_name_is_found_by_the_beginning_of_any_word_without_case_and_accents() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for (id, name) in NAMES {
        is_known(&setup, &replica, id, name).await;
    }
    let token = looks(&setup);
    for (q, who) in [
        ("ada", &["ada"][..]),
        ("LOVE", &["ada"]),
        ("ada lov", &["ada"]),
        ("lovelace ada", &[]),
        ("velace", &[]),
        ("zoe", &["zoe"]),
        ("ZOË", &["zoe"]),
        ("mu", &["zoe"]),
        ("luc", &["luc"]),
        ("jean luc p", &["luc"]),
        ("иван", &["ivan"]),
        ("ИОРДАН", &["ivan"]),
        ("mo", &["mono"]),
        ("m", &["mono", "zoe"]),
        ("🦄", &["club"]),
        ("nobody", &[]),
        // What means something in a query or a pattern means nothing here.
        ("$gt", &[]),
        ("lu.*", &["luc"]),
        ("lu|lo", &[]),
        ("l[uo]", &[]),
    ] {
        assert_eq!(ids(&replica, &token, q).await, who, "{q}");
    }
    assert_eq!(
        found(&replica, &token, &[("q", "zoe")]).await,
        [("zoe".to_owned(), "Zoë Müller".to_owned())],
        "the name as it is written"
    );
    assert_eq!(found(&replica, &token, &[("q", "m"), ("limit", "1")]).await.len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_is_found_whole_only_and_only_if_the_issuer_has_verified_it() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let claims = |name: &str, email: &str, verified: bool| json!({ "name": name, "email": email, "email_verified": verified });
    for (id, claims) in [
        ("ada", claims("Ada", "Ada.Lovelace@Example.org", true)),
        ("twin", claims("Twin", "ada.lovelace@example.org", true)),
        ("eve", claims("Eve", "eve@example.org", false)),
        ("mute", json!({ "name": "Mute", "email": "mute@example.org" })),
    ] {
        shows_a_token(&setup, &replica, id, &claims).await;
        is_stored(&setup, &replica, id, claims["name"].as_str().unwrap()).await;
    }
    let token = looks(&setup);
    for q in ["ada.lovelace@example.org", " ADA.lovelace@EXAMPLE.org "] {
        assert_eq!(ids(&replica, &token, q).await, ["ada", "twin"], "{q}");
    }
    for q in [
        "ada@",
        "@",
        "ada.lovelace@",
        "@example.org",
        "ada.lovelace@example.or",
        "ada.lovelace@example.org.",
        "eve@example.org",
        "mute@example.org",
        ".*@example.org",
    ] {
        assert!(ids(&replica, &token, q).await.is_empty(), "{q}");
    }
    for q in ["ada.lovelace", "example", "org"] {
        assert!(ids(&replica, &token, q).await.is_empty(), "{q}: an address is no name");
    }
    // `found` refuses any field besides; nor does the name tell it.
    let all = found(&replica, &token, &[("ids", "ada,twin,eve,mute")]).await;
    assert!(!format!("{all:?}").contains('@'), "{all:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_names_of_ids_come_in_the_order_of_the_ids_and_strangers_are_left_out() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for (id, name) in [("ada", "Ada"), ("bob", "Bob"), ("cid", "Cid")] {
        is_known(&setup, &replica, id, name).await;
    }
    let token = looks(&setup);
    let names = async |ids: &str| {
        let found = found(&replica, &token, &[("ids", ids)]).await;
        found.into_iter().map(|(_, name)| name).collect::<Vec<_>>()
    };
    assert_eq!(names("cid,ada,bob").await, ["Cid", "Ada", "Bob"]);
    assert_eq!(names("bob,nobody,bob,ada").await, ["Bob", "Ada"]);
    assert!(names("nobody").await.is_empty());
    let hundred: Vec<String> = (0..99).map(|n| format!("n{n}")).chain(["ada".into()]).collect();
    assert_eq!(names(&hundred.join(",")).await, ["Ada"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_person_is_told_who_they_are_as_the_token_says() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    for (claims, name) in [
        (json!({ "name": "Ada Lovelace" }), "Ada Lovelace"),
        (json!({ "name": " ", "preferred_username": "ada.l" }), "ada.l"),
        (json!({ "name": null }), "ada"),
    ] {
        let token = setup.issuer.token_with("ada", &claims);
        let response = replica.get(&token, "/v1/users/me").await;
        assert_eq!(response.status(), 200);
        let me: Value = response.json().await.unwrap();
        assert_eq!(me, json!({ "user_id": "ada", "user_name": name }));
    }
    let response = replica.http.get(replica.url("/v1/users/me")).send().await.unwrap();
    assert_problem(response, 401, "missing-token").await;
    assert_problem(replica.get("nonsense", "/v1/users/me").await, 401, "invalid-token").await;
}

/// A query, how its problem is called, and the parameters that it is about.
type Refused<'a> = (&'a [(&'a str, &'a str)], &'a str, &'a [&'a str]);

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_looked_for_is_refused_and_names_the_parameter() {
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    let token = setup.issuer.token("ada");
    let long = "x".repeat(255);
    let too_many = vec!["x"; 101].join(",");
    let long_id = "x".repeat(256);
    let cases: [Refused<'_>; 21] = [
        (&[], "invalid-parameter", &["q", "ids"]),
        (&[("q", "ada"), ("ids", "ada")], "invalid-parameter", &["q", "ids"]),
        (&[("q", "")], "invalid-parameter", &["q"]),
        (&[("q", " \t")], "invalid-parameter", &["q"]),
        (&[("q", "...")], "invalid-parameter", &["q"]),
        (&[("q", "\u{301}")], "invalid-parameter", &["q"]),
        (&[("q", "\0")], "invalid-parameter", &["q"]),
        (&[("q", &long)], "invalid-parameter", &["q"]),
        (&[("q", "ada"), ("q", "bob")], "invalid-parameter", &["q"]),
        (&[("q", "ada"), ("limit", "0")], "invalid-parameter", &["limit"]),
        (&[("q", "ada"), ("limit", "51")], "invalid-parameter", &["limit"]),
        (&[("q", "ada"), ("limit", "-1")], "invalid-parameter", &["limit"]),
        (&[("q", "ada"), ("limit", "many")], "invalid-parameter", &["limit"]),
        (&[("ids", "ada"), ("limit", "1")], "invalid-parameter", &["limit"]),
        (&[("ids", "")], "invalid-parameter", &["ids"]),
        (&[("ids", "ada,,bob")], "invalid-parameter", &["ids"]),
        (&[("ids", "ada\n")], "invalid-parameter", &["ids"]),
        (&[("ids", &long_id)], "invalid-parameter", &["ids"]),
        (&[("ids", &too_many)], "invalid-parameter", &["ids"]),
        (&[("name", "ada")], "unknown-parameter", &["name"]),
        (&[("q", "ada"), ("email", "a@b.c")], "unknown-parameter", &["email"]),
    ];
    for (query, name, fields) in cases {
        let request = replica.http.get(replica.url("/v1/users")).bearer_auth(&token).query(query);
        let problem = assert_problem(request.send().await.unwrap(), 400, name).await;
        assert_eq!(problem["fields"], json!(fields), "{query:?}");
    }
    // Neither UTF-8 nor a query.
    for (path, status) in [
        ("/v1/users?q=%FF", 200),
        ("/v1/users?q=%", 400),
        ("/v1/users?&&=", 400),
        ("/v1/users?q", 400),
    ] {
        assert_eq!(replica.get(&token, path).await.status(), status, "{path}");
    }
    let unauthorized = replica.http.get(replica.url("/v1/users?q=ada")).send().await.unwrap();
    assert_problem(unauthorized, 401, "missing-token").await;
    let posted = replica.http.post(replica.url("/v1/users")).bearer_auth(&token).send().await;
    assert_problem(posted.unwrap(), 405, "method-not-allowed").await;
}

/// What MongoDB did for the searches of one replica.
async fn profiled(setup: &Setup, replica: &Replica, token: &str, q: &str) -> Document {
    let client = mongodb::Client::with_uri_str(&setup.mongodb_uri).await.unwrap();
    let database = client.database(&setup.database);
    let profile = |level: i32| database.run_command(doc! { "profile": level });
    profile(2).await.unwrap();
    found(replica, token, &[("q", q)]).await;
    profile(0).await.unwrap();
    let of_people = doc! { "op": "query", "ns": format!("{}.people", setup.database) };
    let profile = database.collection::<Document>("system.profile");
    let seen = profile.find(of_people);
    let mut seen: Vec<Document> =
        seen.sort(doc! { "ts": 1 }).await.unwrap().try_collect().await.unwrap();
    seen.pop().expect("the search is seen")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_search_looks_at_no_more_of_an_index_than_it_answers() {
    const CROWD: i32 = 2_000;
    let setup = Setup::new().await;
    let replica = setup.replica().await;
    is_known(&setup, &replica, "ada", "Ada Lovelace").await;
    let people = setup.collection("people").await;
    eventually("the indexes are there", async || {
        let mut names = people.list_index_names().await.ok()?;
        names.sort();
        (names == ["_id_", "email_key", "name_keys"]).then_some(())
    })
    .await;
    let document = |number: i32| {
        let name = format!("crowd {number:05} of many");
        let keys = [name.clone(), name[6..].to_owned(), "of many".to_owned(), "many".to_owned()];
        doc! { "_id": format!("n{number}"), "name": name, "name_keys": keys.to_vec(), "email_key": format!("n{number}@example.org") }
    };
    people.insert_many((0..CROWD).map(document)).await.unwrap();
    let token = looks(&setup);
    for (q, index, most) in [
        ("crowd", "name_keys", 20),
        ("many", "name_keys", 20),
        ("o", "name_keys", 20),
        ("01234", "name_keys", 1),
        ("lovelace", "name_keys", 1),
        ("nobody", "name_keys", 0),
        ("n7@example.org", "email_key", 1),
        ("n7@example", "email_key", 0),
    ] {
        let seen = profiled(&setup, &replica, &token, q).await;
        let plan = seen.get_str("planSummary").unwrap();
        assert!(plan.starts_with("IXSCAN") && plan.contains(index), "{q}: {plan}");
        let number = |field| {
            let value = seen.get(field).unwrap();
            value.as_i64().or(value.as_i32().map(i64::from)).unwrap()
        };
        assert_eq!(number("nreturned"), most, "{q}");
        assert!(number("docsExamined") <= most, "{q}: {seen}");
        // A person whose words begin alike is met once for each.
        assert!(number("keysExamined") <= 2 * most + 1, "{q}: {seen}");
    }
}
