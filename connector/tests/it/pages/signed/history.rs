//! `/accounts/v1/activity` and `/accounts/v1/networks`

use serde_json::{Value, json};

use crate::setup::PASSWORD;
use crate::setup::signed::Signing;

fn events(body: &Value) -> Vec<&str> {
    let lines = body["events"].as_array().expect("events").iter();
    lines.map(|line| line["event"].as_str().expect("a name")).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_see_what_happened_to_their_own_account_and_not_why_somebody_was_refused() {
    let signing = Signing::without_mail(&[]).await;
    let pages = &signing.pages;
    assert!(pages.lets_in("alice", PASSWORD).await);
    assert!(!pages.lets_in("alice", "a wrong one").await);
    assert!(!pages.lets_in("bob", "a wrong one").await);
    pages.database.audited("login.ok", None).await;
    pages.database.audited("login.fail", Some("wrong_password")).await;
    let alice = signing.person("alice").await;
    let shown = alice.get("/activity").await;
    assert_eq!(events(&shown.body), ["login.fail", "login.ok"]);
    let line = &shown.body["events"][0];
    assert_eq!(line["remote_ip"], "203.0.113.7");
    assert_eq!(line["count"], 1);
    assert_eq!(line.as_object().unwrap().len(), 4, "no reason: {line}");
    assert!(shown.body.get("next").is_none());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_happened_comes_in_pages_of_which_each_line_is_on_one() {
    let signing = Signing::without_mail(&[]).await;
    // Three lines of each moment: the cursor is finer than that.
    signing
        .sql(
            "insert into audit_events (id, at, event, user_id, connector_id, request_id)
             select gen_random_uuid(), timestamptz '2026-01-01' + (n / 3) * interval '1 s',
                    case when n % 40 = 0 then 'refresh.ok' else 'login.ok' end, id, '', ''
             from users, generate_series(1, 120) as n where username_key in ('alice', 'bob')",
        )
        .await;
    let alice = signing.person("alice").await;
    let (mut lines, mut path) = (Vec::new(), "/activity".to_owned());
    loop {
        let shown = alice.get(&path).await;
        shown.done();
        lines.extend(shown.body["events"].as_array().unwrap().iter().cloned());
        let Some(next) = shown.body["next"].as_str() else { break };
        path = format!("/activity?before={next}");
    }
    assert_eq!(lines.len(), 117);
    let times: Vec<&str> = lines.iter().map(|line| line["at"].as_str().unwrap()).collect();
    assert!(times.is_sorted_by(|a, b| a >= b));
    for query in ["?before=x", "?before=1_2", "?before=", "?after=1", "?before=1&before=1"] {
        alice.get(&format!("/activity{query}")).await.is(400, "invalid-parameter");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_is_forgotten_is_a_strangers() {
    let signing = Signing::without_mail(&[]).await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    assert_eq!(alice.get("/networks").await.body, json!({"networks": []}));
    assert!(pages.lets_in("alice", PASSWORD).await);
    signing
        .sql(
            "insert into known_networks
             select id, '2001:db8:1:2::/64', now() - interval '1 day' from users
             where username_key in ('alice', 'bob')",
        )
        .await;
    let known = alice.get("/networks").await.body;
    let networks = known["networks"].as_array().unwrap();
    let seen: Vec<_> =
        networks.iter().map(|known| (&known["address"], &known["network"])).collect();
    assert_eq!(
        seen,
        [
            (&json!("203.0.113.7"), &json!("203.0.113.7/32")),
            (&json!("2001:db8:1:2::"), &json!("2001:db8:1:2::/64")),
        ]
    );
    for no_network in ["203.0.113.8", "alice", "203.0.113.7%2F32", "::"] {
        let refused = alice.delete(&format!("/networks/{no_network}"), None).await;
        refused.is(404, "no-such-network");
    }
    // Any address in it will do.
    alice.delete("/networks/2001:db8:1:2::77", None).await.done();
    alice.delete("/networks/203.0.113.7", None).await.done();
    alice.delete("/networks/203.0.113.7", None).await.is(404, "no-such-network");
    assert_eq!(pages.number("select count(*) from known_networks").await, 1, "bob's stays");
    pages.database.audited("account.network_forgotten", None).await;
    signing.sql("delete from login_guard").await;
    pages.close_alice().await;
    assert!(!pages.lets_in("alice", PASSWORD).await, "she comes as a stranger");
}
