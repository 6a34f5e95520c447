//! `/accounts/reset`

use reqwest::StatusCode;

use crate::setup::pages::Pages;
use crate::setup::{PASSWORD, eventually};

const ALICE: &str = "alice@example.com";
const NEW: &str = "an engine that weaves";

#[tokio::test(flavor = "multi_thread")]
async fn a_forgotten_password_is_replaced_and_all_that_it_opened_ends() {
    let pages = Pages::open().await;
    pages.close_alice().await;
    sqlx::query("update users set email_verified = false where username_key = 'alice'")
        .execute(&pages.database.pool)
        .await
        .unwrap();
    assert!(!pages.lets_in("alice", PASSWORD).await);
    let browser = pages.browser();
    let begun = browser.post("/accounts/reset", &[("email", ALICE)]).await;
    assert_eq!(begun.leads_to(), "/accounts/confirm");
    let code = pages.code(1).await;
    let proved = browser.submit("/accounts/confirm", &[("code", &code)]).await;
    assert_eq!(proved.leads_to(), "/accounts/reset/finish");
    for own in ["Alice@example.com", "archer alice archer"] {
        let own = browser.submit("/accounts/reset/finish", &[("password", own)]).await;
        assert_eq!(own.status, StatusCode::UNPROCESSABLE_ENTITY);
    }
    let changed = browser.submit("/accounts/reset/finish", &[("password", NEW)]).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert!(pages.lets_in("alice", NEW).await, "and it is open again");
    assert!(!pages.lets_in("alice", PASSWORD).await);
    let line = pages.database.audited("account.password_reset", None).await;
    assert_eq!(line.remote_ip.as_deref(), Some("127.0.0.1"));
    let ended = "select auth_epoch from users where username_key = 'alice'";
    assert_eq!(pages.number(ended).await, 1);
    let proved = "select count(*) from users where username_key = 'alice' and email_verified";
    assert_eq!(pages.number(proved).await, 1, "she reads its mail");
    pages.database.audited("account.email_verified", None).await;
    let revocations = "select count(*) from due_work where kind = 'revocation'";
    assert_eq!(pages.number(revocations).await, 1);
    pages.mail_about("password was changed").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_was_proved_and_lost_since_resets_nothing() {
    let pages = Pages::open().await;
    for (count, changed, status) in [
        (1, "email = 'alice@example.org', email_key = 'alice@example.org'", StatusCode::GONE),
        (2, "is_active = false", StatusCode::FORBIDDEN),
    ] {
        let browser = pages.browser();
        let email = if count == 1 { ALICE } else { "alice@example.org" };
        browser.post("/accounts/reset", &[("email", email)]).await.leads_to();
        let code = pages.code(count).await;
        browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
        let flow = browser.get("/accounts/reset/finish").await.flow();
        let change = format!("update users set {changed} where username_key = 'alice'");
        sqlx::query(sqlx::AssertSqlSafe(change)).execute(&pages.database.pool).await.unwrap();
        let fields = [("flow", flow.as_str()), ("password", NEW)];
        let late = browser.post("/accounts/reset/finish", &fields).await;
        assert_eq!(late.status, status, "{}", late.body);
        assert!(!pages.lets_in("alice", NEW).await);
    }
    let epoch = "select auth_epoch from users where username_key = 'alice'";
    assert_eq!(pages.number(epoch).await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reset_and_a_time_without_the_account_end_what_was_proved_or_mailed_before() {
    let pages = Pages::open().await;
    let (own, other, typed_late) = (pages.browser(), pages.browser(), pages.browser());
    let mut codes = Vec::new();
    for (count, browser) in [&own, &other, &typed_late].into_iter().enumerate() {
        browser.post("/accounts/reset", &[("email", ALICE)]).await.leads_to();
        codes.push(pages.code(count + 1).await);
    }
    own.submit("/accounts/confirm", &[("code", &codes[0])]).await.leads_to();
    other.submit("/accounts/confirm", &[("code", &codes[1])]).await.leads_to();
    let flow = other.get("/accounts/reset/finish").await.flow();
    let changed = own.submit("/accounts/reset/finish", &[("password", NEW)]).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    let theirs = [("flow", flow.as_str()), ("password", "what somebody else knows")];
    let late = other.post("/accounts/reset/finish", &theirs).await;
    assert_eq!(late.status, StatusCode::GONE, "{}", late.body);
    let late = typed_late.submit("/accounts/confirm", &[("code", &codes[2])]).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", late.body);
    assert!(pages.lets_in("alice", NEW).await);

    pages.budgets_anew().await;
    let earlier = pages.browser();
    earlier.post("/accounts/reset", &[("email", ALICE)]).await.leads_to();
    let code = pages.code(4).await;
    earlier.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
    let flow = earlier.get("/accounts/reset/finish").await.flow();
    for command in ["disable", "enable"] {
        let output = pages.database.command(&["users", command, "alice"]).output().unwrap();
        assert!(output.status.success(), "{output:?}");
    }
    let late = [("flow", flow.as_str()), ("password", "what somebody else knows")];
    let late = earlier.post("/accounts/reset/finish", &late).await;
    assert_eq!(late.status, StatusCode::GONE, "{}", late.body);
    assert!(pages.lets_in("alice", NEW).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_a_reset_and_another_address_at_the_same_moment_one_is_first() {
    let pages = Pages::open().await;
    let browser = pages.browser();
    browser.post("/accounts/reset", &[("email", ALICE)]).await.leads_to();
    let code = pages.code(1).await;
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
    let mut change = pages.database.pool.begin().await.unwrap();
    sqlx::query(
        "update users set email = 'alice@example.org', email_key = 'alice@example.org'
         where username_key = 'alice'",
    )
    .execute(&mut *change)
    .await
    .unwrap();
    let first = async {
        let waits = async || (pages.database.waiting().await > 0).then_some(());
        eventually("the reset waits", waits).await;
        change.commit().await.unwrap();
    };
    let fields = [("password", NEW)];
    let (late, ()) = tokio::join!(browser.submit("/accounts/reset/finish", &fields), first);
    assert_eq!(late.status, StatusCode::GONE, "{}", late.body);
    assert!(!pages.lets_in("alice", NEW).await);
    assert!(pages.lets_in("alice", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_is_answered_as_none_and_cannot_be_had() {
    let pages = Pages::open().await;
    sqlx::query("update users set is_active = false where username_key = 'alice'")
        .execute(&pages.database.pool)
        .await
        .unwrap();
    let browser = pages.browser();
    browser.post("/accounts/reset", &[("email", ALICE)]).await.leads_to();
    pages.mail_that_says("none that may be used").await;
    // By signing up its owner gets a code, which leads nowhere.
    browser.post("/accounts/sign-up", &[("email", ALICE)]).await.leads_to();
    let code = pages.code(1).await;
    let refused = browser.submit("/accounts/confirm", &[("code", &code)]).await;
    assert_eq!(refused.status, StatusCode::FORBIDDEN);
    // Its browser knows the flow on, and is told the same.
    for path in ["/accounts/confirm", "/accounts/sign-up/finish"] {
        assert_eq!(browser.get(path).await.status, StatusCode::FORBIDDEN, "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn addresses_with_and_without_an_account_are_answered_byte_by_byte_alike() {
    let pages = Pages::without_mail(&[]).await;
    let mut answers = Vec::new();
    for email in [ALICE, "nobody@example.com"] {
        let mut of_one = Vec::new();
        for path in ["/accounts/sign-up", "/accounts/reset", "/accounts/unlock"] {
            let browser = pages.browser();
            of_one.push(browser.post(path, &[("email", email)]).await.alike());
            let page = browser.get("/accounts/confirm").await;
            let flow = page.flow();
            of_one.push(browser.post("/accounts/confirm/resend", &[("flow", &flow)]).await.alike());
            let wrong = [("flow", flow.as_str()), ("code", "0000-0000")];
            let mut wrong = browser.post("/accounts/confirm", &wrong).await.alike();
            wrong.body = wrong.body.replace(&flow, "");
            of_one.push(wrong);
        }
        let rows = [
            pages.number("select count(*) from account_flows").await,
            pages.number("select count(*) from due_work").await,
            pages.number("select count(*) from mail_budgets").await,
        ];
        answers.push((of_one, rows));
        sqlx::raw_sql("delete from account_flows; delete from due_work; delete from mail_budgets")
            .execute(&pages.database.pool)
            .await
            .unwrap();
    }
    assert_eq!(answers[0], answers[1]);
}
