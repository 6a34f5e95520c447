//! `/accounts/v1/email`

use reqwest::StatusCode;
use serde_json::json;

use crate::setup::PASSWORD;
use crate::setup::pages::code;
use crate::setup::signed::{Signing, WAY_BACK, long_code};

const NEW: &str = "Alice+new@example.org";

#[tokio::test(flavor = "multi_thread")]
async fn a_new_address_is_proved_all_sessions_end_and_the_old_one_gets_a_way_back() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    let flow = alice.begin_email(NEW, PASSWORD).await;
    let mail = pages.mail_with_code(1).await;
    assert_eq!(mail.envelope.to[0].address, NEW);
    assert!(mail.subject.contains("another e-mail address"), "{mail:?}");
    let wrong = alice.confirm_email(&flow, "0000-0000").await;
    wrong.is(422, "wrong-code");
    let still = "select count(*) from users where email = 'Alice@example.com' and auth_epoch = 0";
    assert_eq!(pages.number(still).await, 1);
    alice.confirm_email(&flow, &code(&mail)).await.done();
    alice.get("/me").await.is(401, "signed-out");
    let changed = "select count(*) from users join due_work on user_id = users.id
                   where email = 'Alice+new@example.org' and email_verified and auth_epoch = 1
                     and kind = 'revocation'";
    assert_eq!(pages.number(changed).await, 1);
    let line = pages.database.audited("account.email_changed", None).await;
    assert_eq!(line.remote_ip.as_deref(), Some("127.0.0.1"));
    let told = pages.mail_that_says(WAY_BACK).await;
    assert_eq!(told.envelope.to[0].address, "Alice@example.com");
    assert_eq!(long_code(&told).len(), 32, "26 signs in groups of four");
    assert!(!told.text.contains("example.org"), "it does not say which one");
    let again = signing.again("alice").await;
    assert_eq!(again.get("/me").await.body["email"], NEW);
    assert!(pages.lets_in("alice+new@example.org", PASSWORD).await);
    assert!(!pages.lets_in("alice@example.com", PASSWORD).await);
    // A code is used once.
    again.confirm_email(&flow, &code(&mail)).await.is(422, "wrong-code");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_that_has_an_account_is_answered_as_any_other_and_is_not_had() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    let mut answers = Vec::new();
    for email in ["nohash@example.com", "nobody@example.com"] {
        let body = json!({"email": email, "password": PASSWORD});
        let mut answer = alice.post("/email", body).await;
        assert_eq!(answer.status, StatusCode::ACCEPTED);
        let flow = answer.body["flow"].as_str().unwrap().to_owned();
        answer.body["flow"] = flow.len().into();
        answer.headers.remove("date");
        let mail = pages.mail_to(email, 1).await;
        let wrong = alice.confirm_email(&flow, "0000-0000").await;
        answers.push((answer.headers, answer.body, wrong.status, wrong.body));
        if email.starts_with("nohash") {
            assert!(!mail.text.lines().any(|line| line.len() == 9), "no code: {}", mail.text);
        }
    }
    assert_eq!(answers[0], answers[1]);
    for own in ["alice@example.com", "ALICE@EXAMPLE.com"] {
        let body = json!({"email": own, "password": PASSWORD});
        alice.post("/email", body).await.is(409, "own-address");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_address_of_an_account_that_is_made_meanwhile_stays_its_own() {
    let signing = Signing::open().await;
    let alice = signing.person("alice").await;
    let flow = alice.begin_email("bea@example.com", PASSWORD).await;
    let code = signing.pages.code(1).await;
    signing.sql("update users set email = 'bea@example.com', email_key = 'bea@example.com' where username_key = 'bob'").await;
    alice.confirm_email(&flow, &code).await.is(409, "address-taken");
    alice.get("/me").await.done();
    assert_eq!(signing.pages.number("select max(auth_epoch) from users").await, 0);
    assert_eq!(signing.pages.number("select count(*) from address_undos").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_is_its_owners_for_ten_minutes_and_five_tries_and_the_password_comes_first() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    for (email, password, problem) in [
        ("alice", PASSWORD, (422, "invalid-email")),
        ("a@b.example\r\nBcc: eve@example.com", PASSWORD, (422, "invalid-email")),
        ("a@b.example", "wrong", (403, "wrong-password")),
    ] {
        let body = json!({"email": email, "password": password});
        alice.post("/email", body).await.is(problem.0, problem.1);
    }
    assert_eq!(pages.number("select count(*) from account_flows").await, 0);
    let flow = alice.begin_email(NEW, PASSWORD).await;
    let good = pages.code(1).await;
    let bob = signing.person("bob").await;
    bob.confirm_email(&flow, &good).await.is(422, "wrong-code");
    alice.confirm_email("AAAAAAAAAAAAAAAAAAAAAAAAAAA", &good).await.is(422, "wrong-code");
    alice.confirm_email("no flow", &good).await.is(422, "wrong-code");
    for _ in 0..5 {
        alice.confirm_email(&flow, "no code").await.is(422, "wrong-code");
    }
    alice.confirm_email(&flow, &good).await.is(422, "wrong-code");

    let late = alice.begin_email("alice@late.example", PASSWORD).await;
    let good = pages.code(2).await;
    pages.database.sent(2).await;
    signing
        .sql("update account_flows set code_sent_at = code_sent_at - interval '10 minutes'")
        .await;
    alice.confirm_email(&late, &good).await.is(422, "wrong-code");
    let own = "select count(*) from users where email = 'Alice@example.com'";
    assert_eq!(pages.number(own).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_flow_of_strangers_is_no_change_of_an_address_and_the_other_way_round() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    let browser = pages.browser();
    browser.post("/accounts/sign-up", &[("email", NEW)]).await.leads_to();
    let cookie = browser.cookie().unwrap();
    let theirs = pages.code(1).await;
    let token = cookie.split_once('=').unwrap().1;
    alice.confirm_email(token, &theirs).await.is(422, "wrong-code");
    let flow = alice.begin_email(NEW, PASSWORD).await;
    let own = pages.code(2).await;
    browser.set_cookie(Some(format!("__Host-Http-accounts-flow={flow}")));
    let refused = browser.json("/accounts/v1/flows/confirm", json!({"code": own})).await;
    assert_eq!(refused.status, StatusCode::CONFLICT, "{}", refused.body);
    let refused = browser.json("/accounts/v1/reset", json!({"password": "an engine that weaves"}));
    assert_eq!(refused.await.status, StatusCode::CONFLICT);
    assert!(pages.lets_in("alice", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_voids_what_was_asked_for_before_and_what_ends_sessions_voids_a_change() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    let reset = pages.browser();
    reset.post("/accounts/reset", &[("email", "alice@example.com")]).await.leads_to();
    let reset_code = pages.code(1).await;
    let other = alice.begin_email("alice@other.example", PASSWORD).await;
    let other_code = pages.code(2).await;
    let flow = alice.begin_email(NEW, PASSWORD).await;
    alice.confirm_email(&flow, &pages.code(3).await).await.done();
    let late = reset.submit("/accounts/confirm", &[("code", &reset_code)]).await;
    assert_eq!(late.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", late.body);
    let alice = signing.again("alice").await;
    alice.confirm_email(&other, &other_code).await.is(422, "wrong-code");

    pages.mail_that_says(WAY_BACK).await;
    pages.budgets_anew().await;
    let flow = alice.begin_email("alice@third.example", PASSWORD).await;
    let third = pages.code(4).await;
    signing.sql("update account_flows set expires_at = expires_at - interval '10 s'").await;
    signing.sql("update users set sessions_ended_at = now() - interval '5 s' where username_key = 'alice'").await;
    alice.confirm_email(&flow, &third).await.is(422, "wrong-code");
    assert_eq!(alice.get("/me").await.body["email"], NEW);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_mails_codes_to_whomever_is_put_off_and_an_inbox_gets_three() {
    let many = ["--limit-flows-per-hour", "1000", "--limit-coarse-flows-per-hour", "1000"];
    let signing = Signing::without_mail(&many).await;
    let bob = signing.person("bob").await;
    let own = "another long enough password";
    for n in 0..10 {
        bob.begin_email(if n < 5 { "ada@example.com" } else { "bea@example.com" }, own).await;
    }
    let codes = "select count(*) from due_work where kind = 'mail.code'";
    assert_eq!(signing.pages.number(codes).await, 6);
    let body = json!({"email": "cora@example.com", "password": own});
    bob.post("/email", body).await.is(429, "throttled");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_an_address_gets_its_first_one() {
    let signing = Signing::open().await;
    let bob = signing.person("bob").await;
    let flow = bob.begin_email("bob@example.com", "another long enough password").await;
    bob.confirm_email(&flow, &signing.pages.code(1).await).await.done();
    assert_eq!(signing.again("bob").await.get("/me").await.body["email"], "bob@example.com");
    assert_eq!(signing.pages.number("select count(*) from address_undos").await, 0);
}
