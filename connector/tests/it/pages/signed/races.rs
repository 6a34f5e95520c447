//! Two at once: one is first, and the other is told so

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use crate::setup::PASSWORD;
use crate::setup::signed::Signing;

const NEW: &str = "an engine that weaves";

#[tokio::test(flavor = "multi_thread")]
async fn of_two_password_changes_one_is_made() {
    let signing = Signing::without_mail(&[]).await;
    let (one, other) = (signing.person("alice").await, signing.person("alice").await);
    let passwords = [NEW, "a mill that grinds numbers"];
    let answers = tokio::join!(
        one.change_password(PASSWORD, passwords[0]),
        other.change_password(PASSWORD, passwords[1])
    );
    let done = [&answers.0, &answers.1].map(|answer| answer.status == StatusCode::NO_CONTENT);
    assert_ne!(done[0], done[1], "{answers:?}");
    for (n, answer) in [&answers.0, &answers.1].into_iter().enumerate() {
        if !done[n] {
            assert!(matches!(answer.problem(), "signed-out" | "wrong-password"), "{answer:?}");
        }
        assert_eq!(signing.pages.lets_in("alice", passwords[n]).await, done[n]);
    }
    let epoch = "select auth_epoch from users where username_key = 'alice'";
    assert_eq!(signing.pages.number(epoch).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_two_who_close_the_account_one_does() {
    let signing = Signing::without_mail(&[]).await;
    let (one, other) = (signing.person("alice").await, signing.person("alice").await);
    let body = || Some(json!({"password": PASSWORD}));
    let answers = tokio::join!(one.delete("/me", body()), other.delete("/me", body()));
    let done = [&answers.0, &answers.1].map(|answer| answer.status == StatusCode::NO_CONTENT);
    assert_ne!(done[0], done[1], "{answers:?}");
    let closed = "select count(*) from audit_events where event = 'account.closed'";
    assert_eq!(signing.pages.number(closed).await, 1);
    let revocations = "select count(*) from due_work where kind = 'revocation'";
    assert_eq!(signing.pages.number(revocations).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_new_address_and_a_reset_one_is_first_and_ends_the_other() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    let reset = pages.browser();
    reset.post("/accounts/reset", &[("email", "alice@example.com")]).await.leads_to();
    reset.submit("/accounts/confirm", &[("code", &pages.code(1).await)]).await.leads_to();
    let page = reset.get("/accounts/reset/finish").await.flow();
    let flow = alice.begin_email("alice@example.org", PASSWORD).await;
    let own = pages.code(2).await;
    let fields = [("flow", page.as_str()), ("password", NEW)];
    let (changed, replaced) = tokio::join!(
        alice.confirm_email(&flow, &own),
        reset.post("/accounts/reset/finish", &fields)
    );
    let done = (changed.status == StatusCode::NO_CONTENT, replaced.status == StatusCode::OK);
    assert!(done.0 != done.1, "{changed:?} {replaced:?}");
    let email: String = sqlx::query_scalar("select email from users where username_key = 'alice'")
        .fetch_one(&pages.database.pool)
        .await
        .unwrap();
    let expected = if done.0 { "alice@example.org" } else { "Alice@example.com" };
    assert_eq!(email, expected);
    assert_eq!(pages.lets_in("alice", NEW).await, done.1);
    let epoch = "select auth_epoch from users where username_key = 'alice'";
    assert_eq!(pages.number(epoch).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_right_code_that_is_sent_many_times_changes_the_address_once() {
    let signing = Signing::open().await;
    let alice = signing.person("alice").await;
    let flow = alice.begin_email("alice@example.org", PASSWORD).await;
    let code = signing.pages.code(1).await;
    let answers = join_all((0..20).map(|_| alice.confirm_email(&flow, &code))).await;
    let done = answers.iter().filter(|answer| answer.status == StatusCode::NO_CONTENT).count();
    assert_eq!(done, 1, "{answers:?}");
    assert_eq!(signing.pages.number("select count(*) from address_undos").await, 1);
}
