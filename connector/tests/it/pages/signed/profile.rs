//! `/accounts/v1/me` and `/accounts/v1/sign-out`

use serde_json::{Value, json};

use crate::setup::signed::Signing;

#[tokio::test(flavor = "multi_thread")]
async fn people_see_their_account_and_change_their_name_and_number() {
    let signing = Signing::without_mail(&[]).await;
    let alice = signing.person("alice").await;
    let own = alice.get("/me").await.body;
    let id = signing.id("alice").await.to_string();
    let expected = json!({
        "user_id": id, "username": "Alice", "full_name": "Alice Archer",
        "email": "Alice@example.com", "email_verified": true,
        "phone": null, "phone_verified": false, "groups": ["admins", "staff"],
    });
    assert_eq!(own, expected);
    let typed = json!({"full_name": "  \u{738b}\u{5c0f}\u{660e} ", "phone": "+493012345678"});
    let changed = alice.patch("/me", typed).await;
    assert_eq!(changed.body["full_name"], "\u{738b}\u{5c0f}\u{660e}");
    assert_eq!(changed.body["phone"], "+493012345678");
    assert_eq!(changed.body["phone_verified"], false, "nobody has proved it");
    let line = signing.pages.database.audited("account.profile_changed", None).await;
    assert_eq!(line.user_id.map(|id| id.to_string()).as_deref(), Some(id.as_str()));
    assert_eq!(line.remote_ip.as_deref(), Some("127.0.0.1"));
    // What is left out stays, and what is so already is no change.
    for same in [json!({}), json!({"phone": "+493012345678"})] {
        assert_eq!(alice.patch("/me", same).await.body, changed.body);
    }
    let lines = "select count(*) from audit_events where event = 'account.profile_changed'";
    assert_eq!(signing.pages.number(lines).await, 1);
    let gone = alice.patch("/me", json!({"phone": null})).await;
    assert_eq!(gone.body["phone"], Value::Null);
    assert_eq!(gone.body["full_name"], "\u{738b}\u{5c0f}\u{660e}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_name_or_number_is_refused_with_an_example_and_fields_by_their_name() {
    let signing = Signing::without_mail(&[]).await;
    let alice = signing.person("alice").await;
    for phone in [
        "",
        "493012345678",
        "+0301234567",
        "+123456",
        "+1234567890123456",
        "+49 30 12345678",
        "+49301234567\r\nBcc: eve@example.com",
        "+4930123456\u{661}",
        "00493012345678",
        "+",
    ] {
        let refused = alice.patch("/me", json!({"phone": phone})).await;
        refused.is(422, "invalid-phone");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.contains("+493012345678"), "{detail}");
    }
    for name in ["Ada\r\nBcc: eve@example.com", "Ada\u{0}", "Ada\u{202e}", &"a".repeat(255)] {
        alice.patch("/me", json!({"full_name": name})).await.is(422, "invalid-name");
    }
    for (fields, named) in [
        (json!({"email": "alice@example.org"}), "`email`"),
        (json!({"email_verified": true}), "`email_verified`"),
        (json!({"groups": ["admins"]}), "`groups`"),
        (json!({"is_active\u{7}": true}), "`is_active`"),
    ] {
        let refused = alice.patch("/me", fields).await;
        refused.is(400, "malformed-body");
        let detail = refused.body["detail"].as_str().unwrap();
        assert!(detail.starts_with("unknown field") && detail.contains(named), "{detail}");
    }
    for fields in [json!({"phone": 5}), json!({"full_name": null}), json!({"phone": []}), json!([])]
    {
        alice.patch("/me", fields).await.is(400, "malformed-body");
    }
    let missing = alice.post("/password", json!({"current": "x"})).await;
    assert!(missing.body["detail"].as_str().unwrap().contains("`new`"), "{missing:?}");
    assert_eq!(signing.pages.number("select count(*) from audit_events").await, 0);
    let untouched = "select count(*) from users where full_name = 'Alice Archer' and phone is null";
    assert_eq!(signing.pages.number(untouched).await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_signs_out_everywhere_is_signed_out_everywhere() {
    let signing = Signing::without_mail(&[]).await;
    let (here, there) = (signing.person("alice").await, signing.person("alice").await);
    here.post("/sign-out", json!({})).await.done();
    here.get("/me").await.is(401, "signed-out");
    there.patch("/me", json!({"full_name": "Eve"})).await.is(401, "signed-out");
    there.post("/sign-out", json!({})).await.is(401, "signed-out");
    signing.pages.database.audited("account.signed_out", None).await;
    let ended = "select count(*) from users join due_work on user_id = users.id
                 where username_key = 'alice' and auth_epoch = 1 and kind = 'revocation'";
    assert_eq!(signing.pages.number(ended).await, 1);
    signing.again("alice").await.get("/me").await.done();
    signing.person("bob").await.get("/me").await.done();
}
