//! `/accounts/v1/password`

use crate::setup::signed::Signing;
use crate::setup::{PASSWORD, eventually};

const NEW: &str = "an engine that weaves";

#[tokio::test(flavor = "multi_thread")]
async fn another_password_ends_all_sessions_and_its_owner_is_told() {
    let signing = Signing::open().await;
    let pages = &signing.pages;
    let (here, there) = (signing.person("alice").await, signing.person("alice").await);
    here.change_password(PASSWORD, NEW).await.done();
    let told = pages.mail_about("password was changed").await;
    assert_eq!(told.envelope.to[0].address, "Alice@example.com");
    assert!(pages.lets_in("alice", NEW).await);
    assert!(!pages.lets_in("alice", PASSWORD).await);
    for person in [here, there] {
        person.get("/me").await.is(401, "signed-out");
    }
    signing.again("alice").await.get("/me").await.done();
    let line = pages.database.audited("account.password_changed", None).await;
    assert_eq!(line.remote_ip.as_deref(), Some("127.0.0.1"));
    pages.database.audited("login.ok", Some("confirmation")).await;
    let ended = "select count(*) from users join due_work on user_id = users.id
                 where username_key = 'alice' and auth_epoch = 1 and kind = 'revocation'";
    assert_eq!(pages.number(ended).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_the_password_or_not_a_new_one_changes_nothing() {
    let signing = Signing::without_mail(&[]).await;
    let alice = signing.person("alice").await;
    alice.change_password("another long enough password", NEW).await.is(403, "wrong-password");
    signing.pages.database.audited("login.fail", Some("wrong_password")).await;
    alice.change_password("", NEW).await.is(403, "wrong-password");
    alice.change_password(&"a".repeat(1025), NEW).await.is(403, "wrong-password");
    for unfit in ["short", "alice archer alice", "passwordpassword", &"\u{e9}".repeat(513)] {
        alice.change_password(PASSWORD, unfit).await.is(422, "unfit-password");
    }
    // A ticket opens Dex, and is no password.
    let bob = signing.person("bob").await;
    bob.change_password("lat1_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", NEW)
        .await
        .is(403, "wrong-password");
    alice.get("/me").await.done();
    assert!(signing.pages.lets_in("alice", PASSWORD).await);
    assert_eq!(signing.pages.number("select max(auth_epoch) from users").await, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_passwords_close_the_account_as_at_the_login_and_a_locked_one_is_answered_alike() {
    let signing = Signing::open().await;
    let alice = signing.person("alice").await;
    let mut answers = Vec::new();
    for n in 0..10 {
        answers.push(alice.change_password(&format!("guess number {n}"), NEW).await);
    }
    signing.pages.database.audited("account.locked", None).await;
    // The right one, too: from here the account was never signed in to.
    answers.push(alice.change_password(PASSWORD, NEW).await);
    signing.pages.database.audited("login.fail", Some("locked")).await;
    for answer in &answers {
        answer.is(403, "wrong-password");
        assert_eq!(answer.body, answers[0].body);
    }
    assert!(!signing.pages.lets_in("alice", NEW).await);
    signing.pages.mail_about("too many failed attempts").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_rate_of_the_network_holds_for_passwords_that_are_shown_again() {
    let limits = ["--limit-network-per-minute", "2", "--limit-network-burst", "2"];
    let signing = Signing::without_mail(&limits).await;
    let alice = signing.person("alice").await;
    for _ in 0..2 {
        alice.change_password("wrong", NEW).await.is(403, "wrong-password");
    }
    let put_off = alice.change_password(PASSWORD, NEW).await;
    put_off.is(429, "throttled");
    assert!(put_off.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn who_hangs_up_while_the_password_changes_finds_it_changed_or_not_and_nothing_in_between() {
    let signing = Signing::without_mail(&[]).await;
    let alice = signing.person("alice").await;
    let before = alice.clone();
    let mut held = signing.pages.database.pool.begin().await.unwrap();
    sqlx::query("select from users where username_key = 'alice' for no key update")
        .execute(&mut *held)
        .await
        .unwrap();
    let call = tokio::spawn(async move { alice.change_password(PASSWORD, NEW).await });
    let waits = async || (signing.pages.database.waiting().await > 0).then_some(());
    eventually("the change waits", waits).await;
    call.abort();
    held.rollback().await.unwrap();
    // It was begun, so it is made.
    signing.pages.database.audited("account.password_changed", None).await;
    assert!(signing.pages.lets_in("alice", NEW).await);
    before.get("/me").await.is(401, "signed-out");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_account_without_a_password_gets_its_first_one_by_mail_alone_and_its_sessions_end() {
    let signing = Signing::open().await;
    let person = signing.person("nohash").await;
    person.change_password("", NEW).await.is(403, "wrong-password");
    let browser = signing.pages.browser();
    browser.post("/accounts/reset", &[("email", "nohash@example.com")]).await.leads_to();
    let code = signing.pages.code(1).await;
    browser.submit("/accounts/confirm", &[("code", &code)]).await.leads_to();
    let done = browser.submit("/accounts/reset/finish", &[("password", NEW)]).await;
    assert_eq!(done.status.as_u16(), 200, "{}", done.body);
    person.get("/me").await.is(401, "signed-out");
    let ended = "select count(*) from users join due_work on user_id = users.id
                 where username_key = 'nohash' and auth_epoch = 1 and kind = 'revocation'";
    assert_eq!(signing.pages.number(ended).await, 1);
}
