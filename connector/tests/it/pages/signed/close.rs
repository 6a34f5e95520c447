//! `DELETE /accounts/v1/me`

use serde_json::json;

use crate::setup::PASSWORD;
use crate::setup::signed::Signing;

#[tokio::test(flavor = "multi_thread")]
async fn who_shows_the_password_closes_the_account_with_all_that_is_its_own() {
    let signing = Signing::without_mail(&[]).await;
    let pages = &signing.pages;
    let alice = signing.person("alice").await;
    let id = signing.id("alice").await;
    assert!(pages.lets_in("alice", PASSWORD).await);
    alice.delete("/me", Some(json!({"password": "wrong"}))).await.is(403, "wrong-password");
    alice.delete("/me", Some(json!({}))).await.is(400, "malformed-body");
    alice.delete("/me", None).await.is(415, "unsupported-media-type");
    alice.get("/me").await.done();
    alice.delete("/me", Some(json!({"password": PASSWORD}))).await.done();
    alice.get("/me").await.is(401, "signed-out");
    alice.delete("/me", Some(json!({"password": PASSWORD}))).await.is(401, "signed-out");
    assert!(!pages.lets_in("alice", PASSWORD).await);
    let line = pages.database.audited("account.closed", None).await;
    assert_eq!(line.user_id, Some(id));
    for left in [
        "select count(*) from users where username_key = 'alice'",
        "select count(*) from credentials where user_id not in (select id from users)",
        "select count(*) from known_networks",
        "select count(*) from user_groups",
    ] {
        assert_eq!(pages.number(left).await, 0, "{left}");
    }
    assert_eq!(pages.number("select count(*) from due_work where kind = 'revocation'").await, 1);
}
