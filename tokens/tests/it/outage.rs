//! What happens while the issuer is away.

use chrono::TimeDelta;
use dex_tokens::{Reason, TokenError, Verifier, VerifierConfig};
use serde_json::json;

use crate::{
    issuer::{Answer, Issuer},
    setup::{AUDIENCE, Setup, TestClock, both, claims, eventually},
    signer::{NEW_RSA, RSA},
};

/// A token whose key is not held and cannot be searched for is neither accepted nor refused for good.
async fn put_off(setup: &Setup) {
    let token = NEW_RSA.token(&setup.claims());
    assert_eq!(setup.verify(&token).await, Err(TokenError::Unavailable));
}

#[tokio::test]
async fn known_keys_verify_for_24_hours_without_the_issuer() {
    let mut setup = Setup::new().await;
    setup.issuer.stop().await;
    setup.clock.advance(TimeDelta::hours(24) - TimeDelta::seconds(1));
    for signer in both() {
        setup.accepted(&signer.token(&setup.claims())).await;
    }
    put_off(&setup).await;
    let remembered = RSA.token(&setup.claims());
    setup.accepted(&remembered).await;
    setup.clock.advance(TimeDelta::seconds(1));
    for signer in both() {
        let token = signer.token(&setup.claims());
        assert_eq!(setup.verify(&token).await, Err(TokenError::Unavailable));
    }
    assert_eq!(setup.verify(&remembered).await, Err(TokenError::Unavailable));

    setup.issuer.restart().await;
    setup.clock.advance(TimeDelta::seconds(2));
    setup.accepted(&remembered).await;
}

#[tokio::test]
async fn keys_that_were_never_obtained_are_unavailable_until_the_issuer_is_there() {
    let mut issuer = Issuer::start(&[&RSA]).await;
    issuer.stop().await;
    let mut setup = Setup::with(issuer, |config| config);
    let token = RSA.token(&setup.claims());
    assert_eq!(setup.verify(&token).await, Err(TokenError::Unavailable));
    setup.issuer.restart().await;
    // Not asked again at once.
    setup.clock.advance(TimeDelta::seconds(1));
    assert_eq!(setup.verify(&token).await, Err(TokenError::Unavailable));
    assert_eq!(setup.issuer.discovery.requests(), 0);
    setup.clock.advance(TimeDelta::seconds(1));
    setup.accepted(&token).await;
}

#[tokio::test]
async fn what_is_wrong_without_any_key_is_invalid_not_unavailable() {
    let mut issuer = Issuer::start(&[&RSA]).await;
    issuer.stop().await;
    let setup = Setup::with(issuer, |config| config);
    assert_eq!(setup.refused("garbage").await, Reason::Malformed);
}

#[tokio::test]
async fn an_empty_key_set_does_not_displace_the_keys() {
    let setup = Setup::new().await;
    setup.issuer.keys.set(Answer::json(&json!({"keys": []})));
    put_off(&setup).await;
    assert_eq!(setup.issuer.keys.requests(), 2);
    setup.accepted(&RSA.token(&setup.claims())).await;
}

#[tokio::test]
async fn a_failed_renewal_is_not_repeated_for_thirty_seconds() {
    let setup = Setup::new().await;
    setup.issuer.keys.set(Answer::Status(axum::http::StatusCode::BAD_GATEWAY, String::new()));
    setup.clock.advance(TimeDelta::minutes(10));
    setup.accepted(&RSA.token(&setup.claims())).await;
    eventually(|| setup.issuer.keys.requests() == 2).await;
    // The answer has arrived once a search for an unknown key, which waits its turn, is over.
    put_off(&setup).await;
    assert_eq!(setup.issuer.keys.requests(), 3);
    setup.clock.advance(TimeDelta::seconds(29));
    setup.accepted(&RSA.token(&setup.claims())).await;
    put_off(&setup).await;
    assert_eq!(setup.issuer.keys.requests(), 3);
    setup.clock.advance(TimeDelta::seconds(1));
    setup.accepted(&RSA.token(&setup.claims())).await;
    eventually(|| setup.issuer.keys.requests() == 4).await;
}

#[tokio::test]
async fn tokens_that_come_before_the_first_fetch_wait_for_it() {
    let setup = Setup::with(Issuer::start(&[&RSA]).await, |config| config);
    let token = RSA.token(&setup.claims());
    let (one, two) = tokio::join!(setup.verify(&token), setup.verify(&token));
    assert_eq!((one.is_ok(), two.is_ok()), (true, true));
    assert_eq!(setup.issuer.keys.requests(), 1);
}

#[tokio::test]
async fn without_its_fetcher_a_verifier_keeps_nobody_waiting() {
    let setup = Setup::new().await;
    setup.fetcher.abort();
    eventually(|| setup.fetcher.is_finished()).await;
    setup.accepted(&RSA.token(&setup.claims())).await;
    put_off(&setup).await;

    let config = VerifierConfig::new("http://127.0.0.1:1/dex", AUDIENCE).unwrap();
    let (verifier, fetcher) = Verifier::new(config, TestClock::new()).unwrap();
    drop(fetcher);
    let token = RSA.token(&claims("http://127.0.0.1:1/dex", crate::setup::START));
    assert_eq!(verifier.verify(&token).await, Err(TokenError::Unavailable));
}

#[tokio::test]
async fn the_fetcher_ends_when_it_is_told_to() {
    let issuer = Issuer::start(&[&RSA]).await;
    let config = VerifierConfig::new(&issuer.url, AUDIENCE).unwrap();
    let (_verifier, fetcher) = Verifier::new(config, TestClock::new()).unwrap();
    fetcher.run(std::future::ready(())).await;
}
