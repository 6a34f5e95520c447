//! Many at the pages at once, and what is left for logins

use reqwest::StatusCode;
use tokio::task::JoinSet;

use crate::setup::pages::{Browser, Pages};
use crate::setup::{PASSWORD, eventually};

/// Browsers with the cookie of a flow that waits for its code, and with one of a flow that nobody began.
async fn visitors(pages: &Pages, count: usize) -> Vec<Browser> {
    let first = pages.browser();
    first.post("/accounts/sign-up", &[("email", "ada@example.com")]).await.leads_to();
    let made_up = "__Host-Http-accounts-flow=AAAAAAAAAAAAAAAAAAAAAAAAAAA".to_owned();
    let cookies = [first.cookie().expect("a flow"), made_up];
    let visitor = |n: usize| {
        let visitor = pages.browser();
        visitor.set_cookie(Some(cookies[n % 2].clone()));
        visitor
    };
    (0..count).map(visitor).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_waits_for_the_database_at_the_pages_or_hangs_up_leaves_logins_their_connections() {
    let many = "1000000";
    let limits = ["--limit-flows-per-hour", many, "--limit-coarse-flows-per-hour", many];
    let pages = Pages::without_mail(&limits).await;
    let mut held = pages.database.pool.begin().await.unwrap();
    let mut visits = JoinSet::new();
    let visitors = visitors(&pages, 300).await;
    sqlx::query("lock table account_flows").execute(&mut *held).await.unwrap();
    for (n, visitor) in visitors.into_iter().enumerate() {
        visits.spawn(async move {
            let path = ["/accounts/confirm", "/accounts/reset/finish"][n / 2 % 2];
            visitor.get(path).await
        });
    }
    let waiting = async || (pages.database.waiting().await > 0).then_some(());
    eventually("the first of them wait for the table", waiting).await;
    let no_answer = visits.join_next().await.unwrap().unwrap();
    assert_ne!(no_answer.status, StatusCode::INTERNAL_SERVER_ERROR);
    assert!(pages.lets_in("alice", PASSWORD).await);
    visits.shutdown().await;
    assert!(pages.lets_in("alice", PASSWORD).await, "they hung up");
    let waiting = pages.database.waiting().await;
    assert!((1..=2).contains(&waiting), "{waiting} connections wait for the database");
    held.rollback().await.unwrap();
    let browser = pages.browser();
    eventually("the pages are back", async || {
        let begun = browser.post("/accounts/sign-up", &[("email", "bea@example.com")]).await;
        (begun.status == StatusCode::SEE_OTHER).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_looks_at_flows_too_often_is_put_off_and_pages_without_a_flow_are_shown() {
    // Half an hour's steps at once: those of one flow.
    let pages = Pages::without_mail(&["--limit-flows-per-hour", "2"]).await;
    let visitors = visitors(&pages, 2).await;
    let mut shown = Vec::new();
    for _ in 0..15 {
        shown.push(visitors[0].get("/accounts/confirm").await.status);
        let code = serde_json::json!({"code": "0000-0000"});
        shown.push(visitors[1].json("/accounts/v1/flows/confirm", code).await.status);
    }
    let put_off = |status: &&StatusCode| **status == StatusCode::TOO_MANY_REQUESTS;
    // One step was the form that began the flow.
    // Another may be owed by now on a machine that is slow.
    let count = shown.iter().filter(put_off).count();
    assert!((10..=11).contains(&count), "{shown:?}");
    let told = visitors[0].get("/accounts/confirm").await;
    assert!(told.headers.contains_key("retry-after"), "{told:?}");
    assert_eq!(pages.browser().get("/accounts/sign-up").await.status, StatusCode::OK);
}
