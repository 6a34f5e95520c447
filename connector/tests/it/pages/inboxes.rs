//! What comes to an inbox, whoever asks for it and however often

use std::collections::BTreeMap;

use auth_connector::flow::CodeNumber;
use devstack::mail::{Mail, Speech};
use futures_util::future::join_all;
use reqwest::StatusCode;
use serde_json::json;

use crate::setup::pages::{Browser, Pages, Shown, code};
use crate::setup::postman::{Inbox, Postman};
use crate::setup::signed::{Signing, WAY_BACK};
use crate::setup::{PASSWORD, code_key, eventually};

const ALICE: &str = "alice@example.com";
const NEW: &str = "an engine that weaves";

/// Who calls is told by a proxy; as many flows as anybody likes.
const BEHIND_A_PROXY: [&str; 2] = ["--trusted-proxy-cidrs", "127.0.0.1/32"];

/// An address that the owner signs in from.
const HOME: &str = "203.0.113.9";

/// An address in the `n`th of many networks that are nobody's.
fn elsewhere(n: usize) -> String {
    format!("11.{}.{}.9", n / 250, n % 250)
}

/// On a machine that is busy with other tests the database may be too slow for somebody: they try again, and are
/// answered the same as if it were not.
async fn taken(ask: impl AsyncFn() -> Shown) -> Shown {
    eventually("an answer", async || {
        let shown = ask().await;
        (shown.status != StatusCode::SERVICE_UNAVAILABLE).then_some(shown)
    })
    .await
}

async fn begin(browser: &Browser, purpose: &str, email: &str) -> Shown {
    let flow = json!({"purpose": purpose, "email": email});
    taken(async || browser.json("/accounts/v1/flows", flow.clone()).await).await
}

async fn resend(browser: &Browser) -> Shown {
    taken(async || browser.json("/accounts/v1/flows/resend", json!({})).await).await
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thousand_requests_of_strangers_by_every_form_are_three_mails_and_the_owner_gets_one() {
    let pages = Pages::open_with(&BEHIND_A_PROXY).await;
    assert!(pages.lets_in_from(HOME, "alice", PASSWORD).await, "it is known from there");
    let somebody = pages.browser();
    for batch in 0..50 {
        let rows = (0..5).map(|row| {
            let (first, somebody) = (4 * (5 * batch + row), &somebody);
            // With a tag it is the same inbox.
            let email = if row % 2 == 0 { ALICE } else { "Alice+tag@example.com" };
            async move {
                let mut last = None;
                for (n, purpose) in ["sign_up", "reset", "unlock"].into_iter().enumerate() {
                    let stranger = somebody.elsewhere(&elsewhere(first + n));
                    let begun = begin(&stranger, purpose, email).await;
                    assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.body);
                    last = stranger.cookie();
                }
                let stranger = somebody.elsewhere(&elsewhere(first + 3));
                stranger.set_cookie(last);
                assert_eq!(resend(&stranger).await.status, StatusCode::ACCEPTED);
            }
        });
        join_all(rows).await;
    }
    pages.database.sent(3).await;
    assert_eq!(pages.number("select count(*) from due_work").await, 3, "no mail waits");

    let owner = somebody.elsewhere(HOME);
    assert_eq!(begin(&owner, "reset", ALICE).await.status, StatusCode::ACCEPTED);
    let proved =
        owner.json("/accounts/v1/flows/confirm", json!({"code": pages.code(4).await})).await;
    assert_eq!(proved.status, StatusCode::OK, "{}", proved.body);
    assert_eq!(pages.number("select count(*) from due_work").await, 4);
    assert_eq!(pages.mails().await.len(), 4);
}

/// The code that counts of the only flow.
async fn last_code(pages: &Pages) -> String {
    let (flow, number) = sqlx::query_as("select id, code from account_flows")
        .fetch_one(&pages.database.pool)
        .await
        .expect("a flow");
    code_key().code(CodeNumber { flow, number }).expose()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_for_another_address_that_is_asked_for_again_and_again_is_three_mails() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    let flow = alice.begin_email("alice@new.example", PASSWORD).await;
    let first = pages.code(1).await;
    let holder = pages.browser();
    holder.set_cookie(Some(format!("__Host-Http-accounts-flow={flow}")));
    for _ in 0..5 {
        assert_eq!(resend(&holder).await.status, StatusCode::ACCEPTED);
    }
    // One that was not sent yet is void as soon as there is a later one, so two or three are sent.
    let last = last_code(pages).await;
    pages.mail_that_says(&last).await;
    alice.confirm_email(&flow, &first).await.is(422, "wrong-code");
    alice.confirm_email(&flow, &last).await.done();
    pages.mail_that_says(WAY_BACK).await;
    let codes = pages
        .mails()
        .await
        .iter()
        .filter(|mail| mail.envelope.to[0].address == "alice@new.example")
        .count();
    assert!((2..=3).contains(&codes), "{codes} mails");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_closed_account_gets_no_mail_any_more_and_its_address_is_free() {
    let signing = Signing::without_mail(&[]).await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    let id = signing.id("alice").await;
    alice.change_password(PASSWORD, NEW).await.done();
    let alice = signing.again("alice").await;
    alice.begin_email("alice@new.example", NEW).await;
    alice.delete("/me", Some(json!({"password": NEW}))).await.done();
    let waiting = "select count(*) from due_work where kind like 'mail.%'";
    assert_eq!(pages.number(waiting).await, 1, "of the notice nothing is left");

    // Of what was about the account nothing is sent, and then something that is about nobody's.
    let inbox = Inbox::open(Speech::Plain).await;
    let _postman = Postman::start(&pages.database, &inbox.settings()).await;
    pages.database.audited("code.dead", None).await;
    let browser = pages.browser();
    assert_eq!(begin(&browser, "sign_up", ALICE).await.status, StatusCode::ACCEPTED);
    let mail = inbox.has(1).await.pop().expect("a mail");
    assert_eq!(mail.envelope.to[0].address, ALICE);
    let proved = browser.json("/accounts/v1/flows/confirm", json!({"code": code(&mail)})).await;
    assert!(proved.body.contains("\"next\":\"sign_up\""), "{}", proved.body);
    let account = json!({"full_name": "Another", "password": "what somebody else knows"});
    let made = browser.json("/accounts/v1/sign-up", account).await;
    assert_eq!(made.status, StatusCode::CREATED, "{}", made.body);
    assert_ne!(signing.id(ALICE).await, id);
    assert!(!pages.lets_in(ALICE, NEW).await);
    assert_eq!(inbox.mails().await.len(), 1);
}

/// What a mail says, without its code.
fn said(mail: &Mail) -> (String, String) {
    let has_no_code = |line: &&str| line.len() != 9;
    let text: Vec<&str> = mail.text.lines().filter(has_no_code).collect();
    (mail.subject.clone(), text.join("\n"))
}

#[tokio::test(flavor = "multi_thread")]
async fn a_disabled_account_is_answered_and_written_to_as_none() {
    let pages = Pages::open().await;
    let disabled = "eve@example.com";
    sqlx::query("update users set email = $1, email_key = $1 where username_key = 'eve'")
        .bind(disabled)
        .execute(&pages.database.pool)
        .await
        .unwrap();
    let mut answers = BTreeMap::new();
    for email in [disabled, "nobody@example.com"] {
        let mut of_one = Vec::new();
        for (n, purpose) in ["sign_up", "reset", "unlock"].into_iter().enumerate() {
            let begun = begin(&pages.browser(), purpose, email).await.alike();
            let mail = pages.mail_to(email, n + 1).await;
            of_one.push((begun, said(&mail)));
        }
        answers.insert(email, of_one);
    }
    assert_eq!(answers[disabled], answers["nobody@example.com"]);
}
