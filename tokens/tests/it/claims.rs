//! What a token must say.

use dex_tokens::{Reason, Subject};
use serde_json::{Value, json};

use crate::setup::{START, Setup, both, with, without};

#[tokio::test]
async fn a_good_token_yields_its_claims() {
    let setup = Setup::new().await;
    for signer in both() {
        let claims = setup.accepted(&signer.token(&setup.claims())).await;
        assert_eq!(claims.subject.as_str(), "CgVhbGljZRIObG9jYWwtcG9zdGdyZXM");
        assert_eq!(claims.audiences, ["chat-api", "chat-app-frontend"]);
        assert_eq!(claims.authorized_party.as_deref(), Some("chat-app-frontend"));
        assert_eq!(claims.expires_at.timestamp(), START + 900);
        assert_eq!(claims.issued_at.timestamp(), START);
        assert_eq!(claims.name.as_deref(), Some("Alice Example"));
        assert_eq!(claims.preferred_username.as_deref(), Some("alice"));
        assert_eq!(claims.email.as_deref(), Some("alice@example.org"));
        assert!(claims.email_verified);
        assert_eq!(claims.groups, ["staff", "ops"]);
    }
}

#[tokio::test]
async fn a_token_without_profile_is_good() {
    let setup = Setup::new().await;
    let mut content = setup.claims();
    for name in ["azp", "email", "email_verified", "groups", "name", "preferred_username"] {
        content = without(content, name);
    }
    for signer in both() {
        let claims = setup.accepted(&signer.token(&content)).await;
        assert_eq!((&claims.email, claims.email_verified), (&None, false));
        assert!(claims.groups.is_empty());
    }
}

#[tokio::test]
async fn another_issuer_is_refused() {
    let setup = Setup::new().await;
    let issuer = &setup.issuer.url;
    let others = [
        "https://elsewhere.example/dex".to_owned(),
        format!("{issuer}/"),
        format!("{issuer}/other"),
        issuer.replace("http:", "https:"),
        issuer.replace("/dex", "/DEX"),
        issuer.replace("/dex", ""),
        String::new(),
    ];
    for signer in both() {
        for other in &others {
            let token = signer.token(&with(setup.claims(), "iss", other.as_str()));
            assert_eq!(setup.refused(&token).await, Reason::Issuer, "{other}");
        }
    }
}

#[tokio::test]
async fn another_audience_is_refused() {
    let setup = Setup::new().await;
    let others = [
        json!("other-app"),
        json!("chat-api "),
        json!("chat-api-2"),
        json!("CHAT-API"),
        json!("chat-api,other-app"),
        json!(["other-app", "chat-app-frontend"]),
        json!(["chat"]),
        json!([]),
    ];
    for signer in both() {
        for other in &others {
            let token = signer.token(&with(setup.claims(), "aud", other.clone()));
            assert_eq!(setup.refused(&token).await, Reason::Audience, "{other}");
        }
        for ours in [json!("chat-api"), json!(["chat-api"]), json!(["x", "chat-api"])] {
            setup.accepted(&signer.token(&with(setup.claims(), "aud", ours))).await;
        }
    }
}

#[tokio::test]
async fn a_token_ends_thirty_seconds_after_exp() {
    let setup = Setup::new().await;
    for signer in both() {
        let token = |exp: i64| signer.token(&with(setup.claims(), "exp", exp));
        setup.accepted(&token(START - 29)).await;
        assert_eq!(setup.refused(&token(START - 30)).await, Reason::Expired);
        assert_eq!(setup.refused(&token(START - 86_400)).await, Reason::Expired);
    }
}

#[tokio::test]
async fn a_token_begins_thirty_seconds_before_nbf() {
    let setup = Setup::new().await;
    for signer in both() {
        let token = |nbf: i64| signer.token(&with(setup.claims(), "nbf", nbf));
        setup.accepted(&token(START + 30)).await;
        assert_eq!(setup.refused(&token(START + 31)).await, Reason::NotYetValid);
    }
}

#[tokio::test]
async fn a_token_from_the_future_is_refused() {
    let setup = Setup::new().await;
    for signer in both() {
        let token = |iat: i64| signer.token(&with(setup.claims(), "iat", iat));
        setup.accepted(&token(START + 30)).await;
        assert_eq!(setup.refused(&token(START + 31)).await, Reason::IssuedInFuture);
    }
}

#[tokio::test]
async fn required_claims_are_required() {
    let setup = Setup::new().await;
    for signer in both() {
        for name in ["iss", "aud", "exp", "iat", "sub"] {
            let missing = signer.token(&without(setup.claims(), name));
            assert_eq!(setup.refused(&missing).await, Reason::Missing(name));
            let null = signer.token(&with(setup.claims(), name, Value::Null));
            assert_eq!(setup.refused(&null).await, Reason::Missing(name));
        }
    }
}

#[tokio::test]
async fn claims_of_a_wrong_type_are_refused() {
    let setup = Setup::new().await;
    let wrong = [
        ("iss", json!(["a"])),
        ("aud", json!({"chat-api": true})),
        ("aud", json!([["chat-api"]])),
        ("exp", json!("1800000900")),
        ("exp", json!(-1)),
        ("exp", json!(1e300)),
        // The last second that the time type knows: adding the leeway would overflow.
        ("exp", json!(8_210_266_876_799_i64)),
        ("nbf", json!(-1)),
        ("iat", json!(-1)),
        ("iat", json!(true)),
        ("sub", json!(7)),
        ("groups", json!("staff")),
        ("email_verified", json!("true")),
    ];
    for signer in both() {
        for (name, value) in &wrong {
            let token = signer.token(&with(setup.claims(), name, value.clone()));
            assert_eq!(setup.refused(&token).await, Reason::Malformed, "{name}: {value}");
        }
    }
}

#[tokio::test]
async fn a_subject_is_one_to_255_printable_characters() {
    let setup = Setup::new().await;
    let longest = "s".repeat(255);
    let too_long = "s".repeat(256);
    for signer in both() {
        for bad in ["", " ", "a b", "a\n", "a\u{0}", "é", &too_long] {
            let token = signer.token(&with(setup.claims(), "sub", bad));
            assert_eq!(setup.refused(&token).await, Reason::Subject, "{bad:?}");
        }
        let token = signer.token(&with(setup.claims(), "sub", longest.as_str()));
        assert_eq!(setup.accepted(&token).await.subject.as_str(), longest);
    }
}

#[test]
fn a_subject_is_parsed_wherever_it_is_read() {
    assert_eq!(serde_json::from_str::<Subject>("\"alice\"").unwrap().as_str(), "alice");
    assert_eq!(serde_json::to_string(&Subject::parse("alice").unwrap()).unwrap(), "\"alice\"");
    assert!(serde_json::from_str::<Subject>("\"\"").is_err());
    assert_eq!(Subject::parse("a b"), Err(Reason::Subject));
}
