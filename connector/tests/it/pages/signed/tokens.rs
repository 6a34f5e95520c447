//! Whose tokens are taken

use auth_proto::Message as _;
use auth_proto::dex_api::IdTokenSubject;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::Utc;
use reqwest::StatusCode;
use reqwest::header::HeaderValue;
use serde_json::{Value, json};

use crate::setup::pages::Pages;
use crate::setup::signed::{Signing, sub};

#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_the_pages_alone_is_taken_and_its_groups_are_those_that_are_stored() {
    let signing = Signing::without_mail(&[]).await;
    let own = signing.claims("alice", 1).await;
    let with = |changed: Value| {
        let mut claims = own.clone();
        for (name, value) in changed.as_object().unwrap() {
            claims[name] = value.clone();
        }
        signing.with(claims)
    };
    for good in [
        json!({}),
        json!({"aud": ["accounts"]}),
        json!({"aud": ["accounts"], "azp": "accounts"}),
        // As Dex writes it when a client asks that may.
        json!({"aud": ["accounts", "desk"], "azp": "desk"}),
    ] {
        let answer = with(good.clone()).get("/me").await;
        assert_eq!(answer.status, StatusCode::OK, "{good}");
        assert_eq!(answer.body["groups"], json!(["admins", "staff"]));
        assert_eq!(answer.headers["cache-control"], "no-store");
    }
    for bad in [
        json!({"aud": "chat-api"}),
        json!({"aud": ["chat-api", "chat-app-frontend"], "azp": "chat-app-frontend"}),
        json!({"aud": ["accounts", "chat-api", "chat-app-frontend"], "azp": "chat-app-frontend"}),
        json!({"aud": ["accounts", "chat-api"]}),
        json!({"aud": []}),
        json!({"exp": Utc::now().timestamp() - 31}),
        json!({"iat": Utc::now().timestamp() + 60}),
        json!({"sub": "alice"}),
        json!({"sub": ""}),
    ] {
        let answer = with(bad.clone()).get("/me").await;
        answer.is(401, "signed-out");
        assert_eq!(answer.headers["www-authenticate"], "Bearer error=\"invalid_token\"", "{bad}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn only_accounts_of_our_connector_count_in_the_one_spelling_of_dex() {
    let signing = Signing::without_mail(&[]).await;
    let id = signing.id("alice").await;
    let two_ids = IdTokenSubject { user_id: id.to_string(), conn_id: "local-postgres".to_owned() };
    let mut longer = two_ids.encode_to_vec();
    longer.extend([0x18, 0x01]);
    for foreign in [
        sub(id, "ldap"),
        sub(id, ""),
        sub(id, "local-postgres "),
        sub(uuid::Uuid::nil(), "local-postgres"),
        URL_SAFE_NO_PAD.encode(longer),
        id.to_string(),
        URL_SAFE_NO_PAD.encode(
            IdTokenSubject {
                user_id: id.simple().to_string(),
                conn_id: "local-postgres".to_owned(),
            }
            .encode_to_vec(),
        ),
    ] {
        let mut claims = signing.claims("alice", 1).await;
        claims["sub"] = foreign.clone().into();
        signing.with(claims).get("/me").await.is(401, "signed-out");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_not_use_the_account_or_signed_in_before_its_sessions_ended_is_nobody() {
    let signing = Signing::without_mail(&[]).await;
    signing.person("alice").await.get("/me").await.done();
    signing.person("eve").await.get("/me").await.is(401, "signed-out");
    for (ended, iat, is_in) in [
        (1_000_000.0, 999_999, false),
        (1_000_000.0, 1_000_000, false),
        (1_000_000.0, 1_000_001, true),
        (1_000_000.999_999, 1_000_000, false),
        (1_000_000.999_999, 1_000_001, true),
    ] {
        sqlx::query("update users set sessions_ended_at = to_timestamp($1::float8)")
            .bind(ended)
            .execute(&signing.pages.database.pool)
            .await
            .unwrap();
        let mut claims = signing.claims("alice", 1).await;
        claims["iat"] = iat.into();
        let answer = signing.with(claims).get("/me").await;
        assert_eq!(answer.status == StatusCode::OK, is_in, "{iat} after {ended}: {answer:?}");
    }
    let bob = signing.person("bob").await;
    signing.sql("update users set sessions_ended_at = null").await;
    bob.get("/me").await.done();
    signing.sql("delete from users where username_key = 'bob'").await;
    bob.get("/me").await.is(401, "signed-out");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_token_is_asked_for_one_and_a_cookie_is_none_yet() {
    let signing = Signing::without_mail(&[]).await;
    let mut person = signing.person("alice").await;
    let good = person.headers["authorization"].clone();
    person.headers.remove("authorization");
    let nobody = person.get("/me").await;
    nobody.is(401, "signed-out");
    assert_eq!(nobody.headers["www-authenticate"], "Bearer");
    for header in ["Basic YWxpY2U6eA==", "Bearer", "Bearer  ", "Bearer a.b.c", "Bearer \u{e9}"] {
        person.headers.insert("authorization", HeaderValue::from_bytes(header.as_bytes()).unwrap());
        let refused = person.get("/me").await;
        refused.is(401, "signed-out");
        assert_eq!(refused.headers["www-authenticate"], "Bearer error=\"invalid_token\"");
    }
    person.headers.insert("authorization", good.clone());
    person.headers.append("authorization", good.clone());
    person.get("/me").await.is(401, "signed-out");
    // A token needs no page of ours, and no other page makes a browser send one.
    person.headers.insert("authorization", good);
    person.headers.insert("origin", HeaderValue::from_static("https://evil.example"));
    person.get("/me").await.done();
}

#[tokio::test(flavor = "multi_thread")]
async fn without_an_issuer_nobody_is_signed_in_and_without_its_keys_nobody_can_be_told() {
    let pages = Pages::without_mail(&[]).await;
    let shown = pages.browser().get("/accounts/v1/me").await;
    assert_eq!(shown.status, StatusCode::NOT_FOUND);
    let signing = Signing::without_mail(&["--dex-discovery-url", "http://127.0.0.1:1"]).await;
    let unknown = signing.person("alice").await.get("/me").await;
    unknown.is(503, "unavailable");
    assert_eq!(unknown.headers["retry-after"], "5");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_network_that_calls_too_often_is_put_off() {
    // Twenty steps for each of two flows, half of them at once.
    let signing = Signing::without_mail(&["--limit-flows-per-hour", "2"]).await;
    let person = signing.person("alice").await;
    for _ in 0..20 {
        person.get("/me").await.done();
    }
    let put_off = person.get("/me").await;
    put_off.is(429, "throttled");
    assert!(put_off.headers.contains_key("retry-after"));
}

#[tokio::test(flavor = "multi_thread")]
async fn the_description_has_every_call_of_who_is_signed_in() {
    let signing = Signing::without_mail(&[]).await;
    let described = signing.script().get("/openapi.json").await.body;
    let paths: Vec<_> = described["paths"].as_object().unwrap().keys().cloned().collect();
    for path in [
        "/activity",
        "/email",
        "/email/confirm",
        "/email/undo",
        "/me",
        "/networks",
        "/networks/{address}",
        "/password",
        "/sign-out",
        "/users",
        "/users/{id}",
    ] {
        assert!(paths.iter().any(|described| described == path), "{path} in {paths:?}");
    }
    let own = described["paths"]["/me"].as_object().unwrap();
    assert!(["get", "patch", "delete"].iter().all(|method| own.contains_key(*method)), "{own:?}");
}
