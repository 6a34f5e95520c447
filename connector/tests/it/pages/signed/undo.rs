//! `/accounts/v1/email/undo`

use devstack::mail::Mail;
use serde_json::json;

use crate::setup::PASSWORD;
use crate::setup::signed::{Answer, Signing, WAY_BACK, long_code};

const THIEF: &str = "thief@example.org";
const OTHER: &str = "thief@other.example";

/// Gives Alice's account another address, and yields the mail to the one before. It was changed so often already.
async fn change(signing: &Signing, email: &str, changes: usize) -> Mail {
    let alice = signing.again("alice").await;
    let flow = alice.begin_email(email, PASSWORD).await;
    let code = signing.pages.code(changes + 1).await;
    // The token is dated after the change; Dex's would be, too, if somebody signed in anew.
    alice.confirm_email(&flow, &code).await.done();
    signing.sql("update users set sessions_ended_at = sessions_ended_at - interval '1 hour'").await;
    signing.pages.nth_that_says(WAY_BACK, changes + 1).await
}

async fn undo(signing: &Signing, code: &str) -> Answer {
    signing.script().post("/email/undo", json!({"code": code})).await
}

async fn address(signing: &Signing) -> String {
    sqlx::query_scalar("select email from users where username_key = 'alice'")
        .fetch_one(&signing.pages.database.pool)
        .await
        .expect("the account is there")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_old_address_is_brought_back_after_two_changes_and_no_later_code_undoes_that() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let first = long_code(&change(&signing, THIEF, 0).await);
    let second = long_code(&change(&signing, OTHER, 1).await);
    assert_eq!(address(&signing).await, OTHER);
    let alice = signing.again("alice").await;
    alice.get("/me").await.done();
    let stored: Vec<String> =
        sqlx::query_scalar("select to_jsonb(address_undos)::text from address_undos")
            .fetch_all(&pages.database.pool)
            .await
            .unwrap();
    assert!(!stored.concat().contains(&first.replace('-', "")), "{stored:?}");

    let before = signing.person("alice").await;
    undo(&signing, &first.to_lowercase()).await.done();
    assert_eq!(address(&signing).await, "Alice@example.com");
    let line = pages.database.audited("account.email_restored", None).await;
    assert_eq!(line.user_id, Some(signing.id("alice").await));
    let ended = "select auth_epoch from users where username_key = 'alice' and email_verified";
    assert_eq!(pages.number(ended).await, 3);
    before.get("/me").await.is(401, "signed-out");
    // The first one had the code to have it.
    let told = pages.mail_to(OTHER, 2).await;
    assert!(told.subject.contains("e-mail address was changed"), "{told:?}");
    assert!(!told.text.lines().any(|line| line.len() == 32), "no way back: {}", told.text);

    // What the thief knows opens nothing, and neither code does again.
    assert!(!pages.lets_in("alice", PASSWORD).await);
    pages.database.audited("login.fail", Some("must_change")).await;
    for used in [&first, &second] {
        undo(&signing, used).await.is(422, "wrong-code");
    }
    assert_eq!(address(&signing).await, "Alice@example.com");

    // The owner chooses another password by the mail of the old address.
    let browser = pages.browser();
    browser.post("/accounts/reset", &[("email", "alice@example.com")]).await.leads_to();
    let code = pages.code(3).await;
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
    let new = [("password", "an engine that weaves")];
    let done = browser.submit("/accounts/reset/finish", &new).await;
    assert_eq!(done.status.as_u16(), 200, "{}", done.body);
    assert!(pages.lets_in("alice", "an engine that weaves").await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_thief_who_goes_back_one_step_does_not_void_the_owners_code() {
    let signing = Signing::open().await;
    let first = long_code(&change(&signing, THIEF, 0).await);
    let second = long_code(&change(&signing, OTHER, 1).await);
    undo(&signing, &second).await.done();
    assert_eq!(address(&signing).await, THIEF);
    undo(&signing, &first).await.done();
    assert_eq!(address(&signing).await, "Alice@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_address_that_is_anothers_by_now_stays_that_and_the_code_is_good_when_it_is_free() {
    let signing = Signing::open().await;
    let first = long_code(&change(&signing, THIEF, 0).await);
    signing
        .sql("update users set email = 'alice@example.com', email_key = 'alice@example.com' where username_key = 'bob'")
        .await;
    undo(&signing, &first).await.is(409, "address-taken");
    assert_eq!(address(&signing).await, THIEF);
    assert!(signing.pages.lets_in("alice", PASSWORD).await, "nothing was changed");
    signing.sql("update users set email = null, email_key = null where username_key = 'bob'").await;
    undo(&signing, &first).await.done();
    assert_eq!(address(&signing).await, "Alice@example.com");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_good_code_or_not_from_our_page_undoes_nothing() {
    let signing = Signing::open().await;
    let first = long_code(&change(&signing, THIEF, 0).await);
    for no_code in ["", "0000-0000", "00000000000000000000000000", &first[1..]] {
        undo(&signing, no_code).await.is(422, "wrong-code");
    }
    let mut foreign = signing.script();
    foreign.headers.remove("x-session");
    foreign.post("/email/undo", json!({"code": first})).await.is(403, "foreign-origin");
    signing.sql("update users set is_active = false where username_key = 'alice'").await;
    undo(&signing, &first).await.is(422, "wrong-code");
    signing.sql("update users set is_active = true where username_key = 'alice'").await;
    signing.sql("update address_undos set expires_at = now()").await;
    undo(&signing, &first).await.is(422, "wrong-code");
    assert_eq!(address(&signing).await, THIEF);
}
