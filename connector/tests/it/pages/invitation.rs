//! `users invite`, and `/accounts/invitation`

use reqwest::StatusCode;
use serde_json::json;

use crate::setup::commands::done;
use crate::setup::pages::Pages;
use crate::setup::signed::long_code;
use crate::setup::{PASSWORD, keys, text, utf8};

const INVITATION: &str = "/accounts/invitation";
const FINISH: &str = "/accounts/sign-up/finish";
const ADA: &str = "ada@example.com";
/// What the mail of an invitation is about.
const INVITED: &str = "you are invited";
const NEW: &str = "an engine that weaves";
const BY_INVITATION: [&str; 2] = ["--accounts-sign-up", "invite"];

/// Invites an address, as an operator does.
fn invite(pages: &Pages, email: &str) -> String {
    let invite = ["users", "invite", email, "--code-key-file", utf8(&keys().code_key)];
    done(&pages.database, &invite)
}

#[tokio::test(flavor = "multi_thread")]
async fn who_is_invited_makes_one_account_and_nobody_else_any() {
    let pages = Pages::open_with(&BY_INVITATION).await;
    let browser = pages.browser();
    let told = browser.post("/accounts/sign-up", &[("email", ADA)]).await;
    assert_eq!(told.status, StatusCode::FORBIDDEN);
    assert_eq!(browser.get("/accounts/sign-up").await.status, StatusCode::FORBIDDEN);
    assert!(invite(&pages, "Ada@example.com").contains("Ada@example.com is invited"));
    let mail = pages.mail_about(INVITED).await;
    assert_eq!(mail.envelope.to[0].address, "Ada@example.com");
    let code = long_code(&mail);
    let stored: String = sqlx::query_scalar("select to_jsonb(invitations)::text from invitations")
        .fetch_one(&pages.database.pool)
        .await
        .unwrap();
    assert!(!stored.contains(&code) && !stored.contains(&code.replace('-', "")), "{stored}");

    assert_eq!(browser.get(INVITATION).await.status, StatusCode::OK);
    let mut wrong = code.clone();
    wrong.replace_range(..1, if code.starts_with('0') { "1" } else { "0" });
    for typed in ["", "0000-0000", &wrong] {
        let told = browser.post(INVITATION, &[("code", typed)]).await;
        assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{typed}");
        assert_eq!(browser.cookie(), None);
    }
    // Twice: whoever did not end the first flow in its 15 minutes begins another.
    let second = pages.browser();
    for browser in [&browser, &second] {
        let accepted = browser.post(INVITATION, &[("code", &code.to_lowercase())]).await;
        assert_eq!(accepted.leads_to(), FINISH);
        assert!(browser.get(FINISH).await.body.contains("Ada@example.com"));
    }
    let fields = [("full_name", "Ada"), ("password", NEW)];
    let made = browser.submit(FINISH, &fields).await;
    assert_eq!(made.status, StatusCode::OK, "{}", made.body);
    assert!(pages.lets_in(ADA, NEW).await);
    pages.database.audited("account.invited", None).await;

    assert_eq!(second.get(FINISH).await.status, StatusCode::CONFLICT, "its account is there");
    let used = browser.post(INVITATION, &[("code", &code)]).await;
    assert_eq!(used.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(pages.number("select count(*) from invitations").await, 0);
    assert!(invite(&pages, ADA).contains("has an account already"));
    assert_eq!(pages.number("select count(*) from invitations").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_is_void_after_a_week_and_after_another_one() {
    let pages = Pages::open().await;
    let script = pages.browser();
    let accept = async |code: &str| {
        script.json("/accounts/v1/flows/invitation", json!({"code": code})).await
    };
    invite(&pages, ADA);
    let first = long_code(&pages.mail_to(ADA, 1).await);
    invite(&pages, "ADA@example.com");
    let second = long_code(&pages.mail_to("ADA@example.com", 1).await);
    let void = accept(&first).await;
    assert_eq!(void.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(void.body.contains("urn:problem-type:accounts:wrong-invitation"), "{}", void.body);
    let proved = accept(&second).await;
    assert_eq!(proved.status, StatusCode::OK, "{}", proved.body);
    let expected = json!({"email": "ADA@example.com", "next": "sign_up"});
    assert_eq!(serde_json::from_str::<serde_json::Value>(&proved.body).unwrap(), expected);

    sqlx::query("update invitations set expires_at = now()")
        .execute(&pages.database.pool)
        .await
        .unwrap();
    assert_eq!(accept(&second).await.status, StatusCode::UNPROCESSABLE_ENTITY);
}

/// Its code lay in the inbox for days.
#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_opens_no_account_that_is_there_already() {
    let pages = Pages::open().await;
    let (before, after) = (pages.browser(), pages.browser());
    invite(&pages, ADA);
    let code = long_code(&pages.mail_about(INVITED).await);
    before.post(INVITATION, &[("code", &code)]).await.leads_to();
    let flow = before.get(FINISH).await.flow();
    sqlx::query("update users set email = $1, email_key = $1 where username_key = 'alice'")
        .bind(ADA)
        .execute(&pages.database.pool)
        .await
        .unwrap();
    let told = after.post(INVITATION, &[("code", &code)]).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY);
    for (path, fields) in [
        (FINISH, &[("flow", &*flow), ("full_name", "Eve"), ("password", NEW)][..]),
        ("/accounts/reset/finish", &[("flow", &*flow), ("password", NEW)]),
    ] {
        let refused = before.post(path, fields).await;
        assert_eq!(refused.status, StatusCode::CONFLICT, "{path}: {}", refused.body);
    }
    assert!(pages.lets_in("alice", PASSWORD).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_that_an_operator_made_and_deleted_does_not_come_back_by_an_invitation() {
    let pages = Pages::open().await;
    invite(&pages, ADA);
    let code = long_code(&pages.mail_about(INVITED).await);
    for arguments in
        [&["users", "create", "ada", "--email", ADA][..], &["users", "delete", "ada", "--yes"]]
    {
        let output = pages.database.command(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {}", text(&output));
    }
    let told = pages.browser().post(INVITATION, &[("code", &code)]).await;
    assert_eq!(told.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", told.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_invitation_needs_the_key_of_codes_and_an_address() {
    let pages = Pages::without_mail(&[]).await;
    for (arguments, said) in [
        (&["users", "invite", ADA][..], "CODE_KEY_FILE"),
        (&["users", "invite", "nobody"], "must be an e-mail address"),
        (&["users", "invite", ADA, "--language", "fr"], "--language"),
    ] {
        let output = pages.database.command(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(64), "{arguments:?}: {}", text(&output));
        assert!(text(&output).contains(said), "{arguments:?}: {}", text(&output));
    }
    assert_eq!(pages.number("select count(*) from due_work").await, 0);
}
