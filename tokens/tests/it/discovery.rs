//! Where the keys may come from.

use std::time::Duration;

use axum::http::StatusCode;
use chrono::TimeDelta;
use dex_tokens::{ConfigError, TokenError, VerifierConfig};
use serde_json::{Value, json};

use crate::{
    issuer::{Answer, Issuer, discovery, jwks},
    setup::{AUDIENCE, Setup, claims, with},
    signer::{EC, RSA},
};

/// An issuer with the RSA key; nothing fetched yet.
async fn unfetched() -> Setup {
    Setup::with(Issuer::start(&[&RSA]).await, |config| config)
}

/// The same, with a verifier that does not wait long.
async fn impatient() -> Setup {
    Setup::with(Issuer::start(&[&RSA]).await, |config| {
        config.with_fetch_timeout(Duration::from_secs(1))
    })
}

/// Nothing can be verified now; once the issuer answers as it should, everything can.
async fn unavailable_until_repaired(setup: &Setup) {
    let token = RSA.token(&setup.claims());
    assert_eq!(setup.verify(&token).await, Err(TokenError::Unavailable));
    setup.issuer.discovery.set(Answer::json(&discovery(&setup.issuer.url)));
    setup.issuer.publish(&[&RSA]);
    setup.clock.advance(TimeDelta::seconds(2));
    setup.accepted(&token).await;
}

#[tokio::test]
async fn a_document_of_another_issuer_is_refused() {
    let others: [fn(&str) -> String; 3] =
        [|url| format!("{url}/"), str::to_uppercase, |_| "https://elsewhere.example".to_owned()];
    for other in others {
        let setup = unfetched().await;
        let document = with(discovery(&setup.issuer.url), "issuer", other(&setup.issuer.url));
        setup.issuer.discovery.set(Answer::json(&document));
        unavailable_until_repaired(&setup).await;
        assert_eq!(setup.issuer.keys.requests(), 1);
    }
}

#[tokio::test]
async fn keys_on_another_origin_are_not_fetched() {
    let elsewhere = Issuer::start(&[&RSA]).await;
    for address in [
        format!("{}/keys", elsewhere.url),
        elsewhere.url.replace("127.0.0.1", "localhost"),
        "file:///etc/passwd".to_owned(),
        "/dex/keys".to_owned(),
        String::new(),
    ] {
        let setup = unfetched().await;
        let document = with(discovery(&setup.issuer.url), "jwks_uri", address);
        setup.issuer.discovery.set(Answer::json(&document));
        unavailable_until_repaired(&setup).await;
    }
    assert_eq!(elsewhere.keys.requests(), 0);
}

#[tokio::test]
async fn redirects_are_not_followed() {
    let elsewhere = Issuer::start(&[&RSA]).await;
    let setup = unfetched().await;
    // To a document that would be good in itself.
    elsewhere.discovery.set(Answer::json(&discovery(&setup.issuer.url)));
    let address = format!("{}/.well-known/openid-configuration", elsewhere.url);
    setup.issuer.discovery.set(Answer::Redirect(address));
    unavailable_until_repaired(&setup).await;

    let setup = unfetched().await;
    setup.issuer.keys.set(Answer::Redirect(format!("{}/keys", elsewhere.url)));
    unavailable_until_repaired(&setup).await;
    assert_eq!((elsewhere.discovery.requests(), elsewhere.keys.requests()), (0, 0));
}

#[tokio::test]
async fn an_answer_that_is_too_large_is_refused() {
    let setup = unfetched().await;
    let document = with(discovery(&setup.issuer.url), "padding", "x".repeat(64 << 10));
    setup.issuer.discovery.set(Answer::json(&document));
    unavailable_until_repaired(&setup).await;

    let setup = unfetched().await;
    setup.issuer.keys.set(Answer::json(&with(jwks(&[&RSA]), "padding", "x".repeat(256 << 10))));
    unavailable_until_repaired(&setup).await;
}

#[tokio::test]
async fn an_answer_that_does_not_end_is_given_up() {
    let setup = impatient().await;
    setup.issuer.keys.set(Answer::Half(jwks(&[&RSA]).to_string()));
    unavailable_until_repaired(&setup).await;

    let setup = impatient().await;
    setup.issuer.discovery.set(Answer::Half(discovery(&setup.issuer.url).to_string()));
    unavailable_until_repaired(&setup).await;
}

#[tokio::test]
async fn only_status_200_counts() {
    for status in [StatusCode::INTERNAL_SERVER_ERROR, StatusCode::NOT_FOUND, StatusCode::CREATED] {
        let setup = unfetched().await;
        setup.issuer.keys.set(Answer::Status(status, jwks(&[&RSA]).to_string()));
        unavailable_until_repaired(&setup).await;

        let setup = unfetched().await;
        let document = discovery(&setup.issuer.url).to_string();
        setup.issuer.discovery.set(Answer::Status(status, document));
        unavailable_until_repaired(&setup).await;
    }
}

#[tokio::test]
async fn an_answer_that_is_no_document_is_refused() {
    let documents: [Value; 4] = [json!(null), json!([]), json!({}), json!({"keys": "none"})];
    for document in documents {
        let setup = unfetched().await;
        setup.issuer.keys.set(Answer::json(&document));
        unavailable_until_repaired(&setup).await;

        let setup = unfetched().await;
        setup.issuer.discovery.set(Answer::json(&document));
        unavailable_until_repaired(&setup).await;
    }
}

#[tokio::test]
async fn the_issuer_may_be_reached_at_an_internal_address() {
    let public = "https://chat.example/dex";
    let issuer = Issuer::start(&[&RSA, &EC]).await;
    issuer.discovery.set(Answer::json(&discovery(public)));
    let base = issuer.url.clone();
    let document = format!("{base}/.well-known/openid-configuration");
    for internal in [base.clone(), format!("{base}/"), document] {
        let setup = Setup::with(Issuer::start(&[]).await, |_| {
            let config = VerifierConfig::new(public, AUDIENCE).unwrap();
            config.with_discovery_url(&internal).unwrap()
        });
        for signer in [&*RSA, &*EC] {
            setup.accepted(&signer.token(&claims(public, setup.clock.seconds()))).await;
            // The internal address is no issuer.
            setup.refused(&signer.token(&claims(&base, setup.clock.seconds()))).await;
        }
    }
    assert_eq!(issuer.keys.requests(), 3);
}

#[tokio::test]
async fn the_internal_address_must_answer_for_the_issuer() {
    let public = "https://chat.example/dex";
    let issuer = Issuer::start(&[&RSA]).await;
    let internal = issuer.url.clone();
    let internal_keys = with(discovery(public), "jwks_uri", format!("{internal}/keys"));
    for document in [discovery(&internal), internal_keys] {
        issuer.discovery.set(Answer::json(&document));
        let setup = Setup::with(Issuer::start(&[]).await, |_| {
            let config = VerifierConfig::new(public, AUDIENCE).unwrap();
            config.with_discovery_url(&internal).unwrap()
        });
        let token = RSA.token(&claims(public, setup.clock.seconds()));
        assert_eq!(setup.verify(&token).await, Err(TokenError::Unavailable));
    }
    assert_eq!(issuer.keys.requests(), 0);
}

#[test]
fn a_proxy_in_the_environment_is_not_used() {
    let this = std::env::current_exe().unwrap();
    let output = std::process::Command::new(this)
        .args(["--exact", "claims::a_good_token_yields_its_claims"])
        .env("http_proxy", "http://127.0.0.1:1")
        .env("HTTP_PROXY", "http://127.0.0.1:1")
        .env("no_proxy", "")
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn a_configuration_that_cannot_work_is_refused() {
    let bad = ["", "dex", "ftp://dex", "http://", "https://u:p@dex", "http://d?a", "http://d#a"];
    for url in bad {
        assert!(matches!(VerifierConfig::new(url, "x"), Err(ConfigError::Issuer)), "{url}");
        let config = VerifierConfig::new("https://chat.example/dex", "x").unwrap();
        assert!(matches!(config.with_discovery_url(url), Err(ConfigError::Discovery)), "{url}");
    }
    let no_audience = VerifierConfig::new("https://chat.example/dex", "");
    assert!(matches!(no_audience, Err(ConfigError::Audience)));
}
