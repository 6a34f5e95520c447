//! `/accounts/v1/users`

use serde_json::{Value, json};

use crate::setup::eventually;
use crate::setup::signed::Signing;

const STAFF: [&str; 2] = ["--accounts-search-groups", "support, staff"];

fn names(body: &Value) -> Vec<&str> {
    let accounts = body["accounts"].as_array().expect("accounts").iter();
    accounts.map(|found| found["full_name"].as_str().expect("a name")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn members_find_accounts_by_id_and_by_parts_of_names_and_numbers() {
    let signing = Signing::without_mail(&STAFF).await;
    signing
        .sql(
            "update users set full_name = 'Bob 100%_\\', phone = '+493012345678'
             where username_key = 'bob';
             update users set full_name = '\u{738b}\u{5c0f}\u{660e}' where username_key = 'eve'",
        )
        .await;
    let alice = signing.person("alice").await;
    let bob = signing.id("bob").await.to_string();
    let found = alice.get(&format!("/users/{bob}")).await;
    let expected = json!({
        "user_id": bob, "username": "bob", "full_name": "Bob 100%_\\", "email": null,
        "email_verified": false, "phone": "+493012345678", "active": true,
    });
    assert_eq!(found.body, expected);
    for (query, wanted) in [
        ("name=ARCH", vec!["Alice Archer"]),
        ("name=ice%20arc", vec!["Alice Archer"]),
        ("name=100%25", vec!["Bob 100%_\\"]),
        ("name=100%25_", vec!["Bob 100%_\\"]),
        ("name=a%25ch", vec![]),
        ("name=bobx", vec![]),
        ("name=%e7%8e%8b%e5%b0%8f%e6%98%8e", vec!["\u{738b}\u{5c0f}\u{660e}"]),
        ("phone=3012", vec!["Bob 100%_\\"]),
        ("phone=%2b4930", vec!["Bob 100%_\\"]),
        ("phone=999", vec![]),
    ] {
        let found = alice.get(&format!("/users?{query}")).await;
        if query == "name=a%25ch" {
            // No three letters or digits in a row.
            found.is(422, "short-term");
            continue;
        }
        found.done();
        assert_eq!(names(&found.body), wanted, "{query}");
    }
    for reason in ["id", "name", "phone"] {
        let line = signing.pages.database.audited("accounts.searched", Some(reason)).await;
        assert_eq!(line.user_id, Some(signing.id("alice").await));
    }
    for unknown in ["00000000-0000-0000-0000-000000000000", "bob", &bob.to_uppercase()] {
        alice.get(&format!("/users/{unknown}")).await.is(404, "no-such-account");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_else_searches_and_no_token_makes_a_member() {
    let signing = Signing::without_mail(&STAFF).await;
    let bob = signing.id("bob").await;
    let mut claims = signing.claims("bob", 1).await;
    claims["groups"] = json!(["staff"]);
    let forged = signing.with(claims);
    for path in [format!("/users/{bob}"), "/users?name=alice".into(), "/users?nothing=1".into()] {
        forged.get(&path).await.is(403, "not-a-searcher");
    }
    assert_eq!(signing.pages.number("select count(*) from audit_events").await, 0);
    // Who is a member no longer, is not heard any longer.
    let alice = signing.person("alice").await;
    alice.get("/users?name=alice").await.done();
    signing.sql("delete from user_groups where group_name = 'staff'").await;
    alice.get("/users?name=alice").await.is(403, "not-a-searcher");
    let nobody = Signing::without_mail(&[]).await;
    nobody.person("alice").await.get("/users?name=alice").await.is(403, "not-a-searcher");
}

#[tokio::test(flavor = "multi_thread")]
async fn too_little_or_something_else_is_not_looked_for() {
    let signing = Signing::without_mail(&STAFF).await;
    let alice = signing.person("alice").await;
    let long = "a".repeat(255);
    for part in ["", "al", "%20al%20", "a-b-c", "...", "ali%00ce", &long] {
        alice.get(&format!("/users?name={part}")).await.is(422, "short-term");
        alice.get(&format!("/users?phone={part}")).await.is(422, "short-term");
    }
    for query in [
        "",
        "name=alice&phone=123",
        "name=alice&name=bob",
        "name=alice&after=1",
        "name=alice&x=1",
        "name=%ff%ff%ff",
    ] {
        alice.get(&format!("/users?{query}")).await.is(400, "invalid-parameter");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_found_comes_in_pages_and_by_the_index_of_trigrams() {
    let signing = Signing::without_mail(&STAFF).await;
    let pool = &signing.pages.database.pool;
    signing
        .sql(
            "insert into users (id, username, username_key, full_name, phone)
             select gen_random_uuid(), 'user' || n, 'user' || n,
                    case when n = 77 then 'Ada Lovelace ' when n % 200 = 0 then 'Grace Hopper '
                         when n % 10 = 4 then 'Maria ' else md5(n::text) || ' ' end || n,
                    '+49' || (1000000000 + n)
             from generate_series(1, 20000) as n",
        )
        .await;
    signing.sql("analyze users").await;
    let alice = signing.person("alice").await;
    let (mut found, mut path) = (Vec::new(), "/users?name=hopper".to_owned());
    loop {
        let page = alice.get(&path).await;
        page.done();
        let accounts = page.body["accounts"].as_array().unwrap();
        assert!(accounts.len() <= 50);
        found.extend(accounts.iter().map(|found| found["user_id"].as_str().unwrap().to_owned()));
        let Some(next) = page.body["next"].as_str() else { break };
        path = format!("/users?name=hopper&after={next}");
    }
    assert_eq!(found.len(), 100);
    assert!(found.is_sorted());
    // What many have is found without the index, in the same order.
    let wanted: Vec<String> = sqlx::query_scalar(
        "select id::text from users where full_name like 'Maria%' order by id limit 150",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let (mut seen, mut path) = (Vec::new(), "/users?name=maria".to_owned());
    for _ in 0..3 {
        let page = alice.get(&path).await;
        let accounts = page.body["accounts"].as_array().unwrap();
        seen.extend(accounts.iter().map(|found| found["user_id"].as_str().unwrap().to_owned()));
        path = format!("/users?name=maria&after={}", page.body["next"].as_str().unwrap());
    }
    assert_eq!(seen, wanted);
    for rare in ["name=lovelace", "phone=1000012345"] {
        let found = alice.get(&format!("/users?{rare}")).await;
        assert_eq!(found.body["accounts"].as_array().unwrap().len(), 1, "{found:?}");
    }
    for (column, index) in [
        ("full_name ilike '%lovelace%'", "users_full_name_trigrams"),
        ("phone like '%1000012345%'", "users_phone_trigrams"),
    ] {
        let explain = format!(
            "explain with found as materialized (
                 select id from users where {column} and (null::uuid is null or id > null)
             ), page as (select id from found order by id limit 51)
             select users.* from page join users using (id) order by id"
        );
        let plan: Vec<String> =
            sqlx::query_scalar(sqlx::AssertSqlSafe(explain)).fetch_all(pool).await.unwrap();
        assert!(plan.concat().contains(index), "{plan:?}");
        // The calls before took that way, too.
        eventually(index, async || {
            let scans: i64 = sqlx::query_scalar(
                "select idx_scan from pg_stat_user_indexes where indexrelname = $1",
            )
            .bind(index)
            .fetch_one(pool)
            .await
            .unwrap();
            (scans > 0).then_some(())
        })
        .await;
    }
}
