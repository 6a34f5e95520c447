//! `/accounts/sign-up`

use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use crate::setup::PASSWORD;
use crate::setup::pages::{Browser, Pages, code};

const ADA: &str = "ada@example.com";
const NEW: &str = "an engine that weaves";

/// From the first page to the proved address; the `count`th mail is the one with the code.
async fn proved(pages: &Pages, browser: &Browser, email: &str, count: usize) -> String {
    let begun = browser.post("/accounts/sign-up", &[("email", email)]).await;
    assert_eq!(begun.leads_to(), "/accounts/confirm");
    let code = pages.code(count).await;
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn who_proves_an_address_has_an_account_that_opens() {
    let pages = Pages::open().await;
    let browser = pages.browser();
    assert!(browser.get("/accounts/sign-up").await.body.contains("name=\"email\""));
    let begun = browser.post("/accounts/sign-up", &[("email", ADA)]).await;
    assert_eq!(begun.leads_to(), "/accounts/confirm");
    let mail = pages.mail_with_code(1).await;
    assert_eq!(mail.envelope.to[0].address, ADA);
    let wrong = browser.submit("/accounts/confirm", &[("code", "0000-0000")]).await;
    assert_eq!(wrong.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(wrong.body.contains("role=\"alert\""), "{}", wrong.body);
    assert_eq!(pages.number("select count(*) from users where email_key like 'ada%'").await, 0);

    let before = browser.cookie();
    let right = browser.submit("/accounts/confirm", &[("code", &code(&mail))]).await;
    assert_eq!(right.leads_to(), "/accounts/sign-up/finish");
    assert_ne!(browser.cookie(), before, "the flow is worth something from now on");
    let finish = "/accounts/sign-up/finish";
    assert!(browser.get(finish).await.body.contains(ADA));
    let short = browser.submit(finish, &[("full_name", "Ada L"), ("password", "too short")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(short.body.contains("value=\"Ada L\"") && !short.body.contains("too short\""));
    for guessed in ["passwordpassword", "qwertyuiopqwertyuiop"] {
        let told = browser.submit(finish, &[("full_name", "Ada L"), ("password", guessed)]).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert!(told.body.contains("easy to guess"), "{}", told.body);
    }
    let made = browser.submit(finish, &[("full_name", "Ada L"), ("password", NEW)]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert_eq!(browser.cookie(), None);
    let app = "<a href=\"http://localhost:5173/?from=accounts&#38;page=last\">";
    assert!(made.body.contains(app), "{}", made.body);

    let account: (Option<String>, String, bool, String, bool) = sqlx::query_as(
        "select username, email, email_verified, full_name, is_active
         from users where email_key = 'ada@example.com'",
    )
    .fetch_one(&pages.database.pool)
    .await
    .unwrap();
    assert_eq!(account, (None, ADA.to_owned(), true, "Ada L".to_owned(), true));
    let line = pages.database.audited("account.signed_up", None).await;
    assert_eq!(line.remote_ip.as_deref(), Some("127.0.0.1"));
    assert!(pages.lets_in(ADA, NEW).await);
    assert_eq!(pages.number("select count(*) from account_flows").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_at_once_who_end_a_flow_one_has_an_account_made() {
    let pages = Pages::open().await;
    let browser = pages.browser();
    let finish = proved(&pages, &browser, ADA, 1).await;
    let cookie = browser.cookie();
    let flow = browser.get(&finish).await.flow();
    let fields = [("flow", flow.as_str()), ("full_name", "Ada"), ("password", NEW)];
    let tries = (0..4).map(|_| async {
        // The answer takes the cookie away from one browser only.
        let tab = pages.browser();
        tab.set_cookie(cookie.clone());
        tab.post(&finish, &fields).await
    });
    let (made, late): (Vec<_>, Vec<_>) =
        join_all(tries).await.into_iter().partition(|told| told.status == StatusCode::OK);
    assert_eq!(made.len(), 1, "{late:?}");
    for told in late {
        assert_eq!(told.status, StatusCode::GONE);
        assert!(told.body.contains("Try to sign in"), "{}", told.body);
    }
    // Who presses the button a second time after the first answer came has no cookie any more.
    let again = pages.browser().post(&finish, &fields).await;
    assert_eq!(again.status, StatusCode::GONE);
    assert!(again.body.contains("Try to sign in"), "{}", again.body);
    assert_eq!(pages.number("select count(*) from users where email_key like 'ada%'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_from_before_its_code_opens_nothing() {
    let pages = Pages::open().await;
    let (browser, thief) = (pages.browser(), pages.browser());
    browser.post("/accounts/sign-up", &[("email", ADA)]).await;
    // Whoever knew the cookie, or had set it, before the address was proved.
    thief.set_cookie(browser.cookie());
    let flow_before = thief.get("/accounts/confirm").await.flow();
    let code = pages.code(1).await;
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
    assert_eq!(thief.get("/accounts/sign-up/finish").await.status, StatusCode::GONE);
    let fields = [("flow", flow_before.as_str()), ("full_name", "Eve"), ("password", NEW)];
    let stolen = thief.post("/accounts/sign-up/finish", &fields).await;
    assert_eq!(stolen.status, StatusCode::GONE);
    assert_eq!(pages.number("select count(*) from users where full_name = 'Eve'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_right_code_sent_twice_leads_to_the_same_place_for_a_minute() {
    let pages = Pages::open().await;
    let browser = pages.browser();
    browser.post("/accounts/sign-up", &[("email", ADA)]).await.leads_to();
    let before = browser.cookie();
    let flow = browser.get("/accounts/confirm").await.flow();
    let code = pages.code(1).await;
    let confirm = async |code: &str| {
        browser.post("/accounts/confirm", &[("flow", &flow), ("code", code)]).await
    };
    let finish = confirm(&code).await.leads_to().to_owned();
    let after = browser.cookie();

    // The second click comes with the cookie of the first answer, or before that.
    let other = confirm(&code).await;
    assert_eq!(other.status, StatusCode::CONFLICT);
    assert!(other.body.contains("href=\"/accounts/confirm\""), "{}", other.body);
    assert_eq!(browser.get("/accounts/confirm").await.leads_to(), finish);
    browser.set_cookie(before.clone());
    assert_eq!(confirm("0000-0000").await.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(confirm(&code).await.leads_to(), finish);
    assert_eq!(browser.cookie(), after, "it is the same flow");
    browser.set_cookie(before.clone());
    let proved = browser.json("/accounts/v1/flows/confirm", json!({"code": code})).await;
    assert_eq!(proved.status, StatusCode::OK, "{}", proved.body);
    assert_eq!(browser.cookie(), after);

    // Whoever gets to know both later has nothing of it.
    browser.set_cookie(before.clone());
    sqlx::query("update account_flows set proved_at = proved_at - interval '1 min'")
        .execute(&pages.database.pool)
        .await
        .unwrap();
    assert_eq!(confirm(&code).await.status, StatusCode::UNPROCESSABLE_ENTITY);
    sqlx::query("update account_flows set proved_at = now()")
        .execute(&pages.database.pool)
        .await
        .unwrap();
    confirm(&code).await.leads_to();
    browser.set_cookie(before);
    let sixth = confirm(&code).await;
    assert_eq!(sixth.status, StatusCode::UNPROCESSABLE_ENTITY, "each was a try");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_an_account_leads_to_another_password_and_to_no_second_account() {
    let pages = Pages::open().await;
    let browser = pages.browser();
    let finish = proved(&pages, &browser, "Alice@example.com", 1).await;
    assert_eq!(finish, "/accounts/reset/finish");
    // Nor by the other form.
    let flow = browser.get(&finish).await.flow();
    let fields = [("flow", flow.as_str()), ("full_name", "Alice"), ("password", NEW)];
    let second = browser.post("/accounts/sign-up/finish", &fields).await;
    assert_eq!(second.status, StatusCode::CONFLICT);
    assert!(pages.lets_in("alice", PASSWORD).await, "nothing is changed yet");
    let changed = browser.submit(&finish, &[("password", NEW)]).await;
    assert_eq!(changed.status, StatusCode::OK, "{}", changed.body);
    assert!(pages.lets_in("alice", NEW).await);
    assert_eq!(pages.number("select count(*) from users where email_key like 'alice%'").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_password_that_is_hashed_is_an_attempt_of_its_network() {
    let limit = ["--limit-network-per-minute", "1", "--limit-network-burst", "1"];
    let pages = Pages::open_with(&limit).await;
    let (first, second) = (pages.browser(), pages.browser());
    let finish = proved(&pages, &first, ADA, 1).await;
    proved(&pages, &second, "bea@example.com", 2).await;
    // What is not taken is not hashed.
    let short = second.submit(&finish, &[("full_name", "Bea"), ("password", "short")]).await;
    assert_eq!(short.status, StatusCode::UNPROCESSABLE_ENTITY);
    let made = first.submit(&finish, &[("full_name", "Ada"), ("password", NEW)]).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    let told = second.submit(&finish, &[("full_name", "Bea"), ("password", NEW)]).await;
    assert_eq!(told.status, StatusCode::TOO_MANY_REQUESTS);
    assert!(told.headers.contains_key("retry-after"));
    assert!(told.body.contains("value=\"Bea\""), "it can be sent again: {}", told.body);
    assert_eq!(pages.number("select count(*) from users where email_key like 'bea%'").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_somebody_makes_meanwhile_is_not_made_twice() {
    let pages = Pages::open().await;
    let browser = pages.browser();
    let finish = proved(&pages, &browser, ADA, 1).await;
    let flow = browser.get(&finish).await.flow();
    sqlx::query("insert into users (id, email, email_key) values (gen_random_uuid(), $1, $1)")
        .bind(ADA)
        .execute(&pages.database.pool)
        .await
        .unwrap();
    let fields = [("flow", flow.as_str()), ("full_name", "Ada"), ("password", NEW)];
    let late = browser.post(&finish, &fields).await;
    assert_eq!(late.status, StatusCode::CONFLICT, "{}", late.body);
    assert!(!pages.lets_in(ADA, NEW).await);
}
