//! Verified tokens are remembered, but never longer than they are good.

use chrono::TimeDelta;
use dex_tokens::Reason;
use metrics_exporter_prometheus::PrometheusBuilder;

use crate::{
    issuer::Issuer,
    setup::{Setup, both, with},
    signer::{EC, NEW_EC, NEW_RSA, RSA},
};

#[tokio::test]
async fn a_remembered_token_ends_with_exp() {
    for signer in both() {
        let setup = Setup::new().await;
        let token = signer.token(&setup.claims());
        setup.accepted(&token).await;
        setup.clock.advance(TimeDelta::seconds(929));
        setup.accepted(&token).await;
        setup.clock.advance(TimeDelta::seconds(1));
        assert_eq!(setup.refused(&token).await, Reason::Expired);
    }
}

#[tokio::test]
async fn a_remembered_token_ends_when_its_key_is_withdrawn() {
    for (old, new) in [(&*RSA, &*NEW_RSA), (&*EC, &*NEW_EC)] {
        let setup = Setup::new().await;
        let token = old.token(&setup.claims());
        setup.accepted(&token).await;
        setup.issuer.publish(&[new]);
        setup.accepted(&new.token(&setup.claims())).await;
        assert_eq!(setup.refused(&token).await, Reason::UnknownKey);
    }
}

#[tokio::test]
async fn a_remembered_token_ends_when_its_kid_gets_another_key() {
    for (old, new) in [(&*RSA, &*NEW_RSA), (&*EC, &*NEW_EC)] {
        let setup = Setup::new().await;
        let token = old.token(&setup.claims());
        setup.accepted(&token).await;
        setup.issuer.publish(&[&new.named(old.kid), new]);
        setup.accepted(&new.token(&setup.claims())).await;
        assert_eq!(setup.refused(&token).await, Reason::Signature);
    }
}

#[tokio::test]
async fn a_remembered_token_stays_when_its_key_is_confirmed() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let setup = Setup::new().await;
    let token = RSA.token(&setup.claims());
    setup.issuer.publish(&[&NEW_RSA, &RSA]);
    setup.accepted(&NEW_RSA.token(&setup.claims())).await;
    setup.accepted(&token).await;
    let text = recorder.handle().render();
    assert!(text.contains("dex_token_verifications_total{outcome=\"remembered\"} 1"), "{text}");
}

#[tokio::test]
async fn the_memory_is_bounded() {
    let issuer = Issuer::start(&[&EC]).await;
    let setup = Setup::with(issuer, |config| config.with_cached_tokens(8));
    for n in 0..100 {
        setup.accepted(&EC.token(&with(setup.claims(), "sub", format!("user-{n}")))).await;
    }
    let remembered = setup.verifier.remembered();
    assert!((1..=8).contains(&remembered), "{remembered}");
}

#[tokio::test]
async fn a_long_token_counts_for_the_memory_that_it_takes() {
    let setup = Setup::with(Issuer::start(&[&EC]).await, |config| config.with_cached_tokens(8));
    for n in 0..20 {
        let claims = with(setup.claims(), "sub", format!("user-{n}"));
        setup.accepted(&EC.token(&with(claims, "groups", vec!["g".repeat(128); 40]))).await;
    }
    let remembered = setup.verifier.remembered();
    assert!((1..=2).contains(&remembered), "{remembered}");
}

#[tokio::test]
async fn refused_tokens_are_not_remembered() {
    let setup = Setup::new().await;
    let before = setup.verifier.remembered();
    let token = RSA.token(&with(setup.claims(), "nbf", setup.clock.seconds() + 60));
    assert_eq!(setup.refused(&token).await, Reason::NotYetValid);
    assert_eq!(setup.verifier.remembered(), before);
    setup.clock.advance(TimeDelta::seconds(30));
    setup.accepted(&token).await;
    assert_eq!(setup.verifier.remembered(), before + 1);
}

#[tokio::test]
async fn every_outcome_is_counted() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let _guard = metrics::set_default_local_recorder(&recorder);
    let setup = Setup::new().await;
    let token = EC.token(&setup.claims());
    setup.accepted(&token).await;
    setup.accepted(&token).await;
    setup.refused("garbage").await;
    setup.refused(&NEW_RSA.token(&setup.claims())).await;
    let text = recorder.handle().render();
    for line in [
        "dex_token_verifications_total{outcome=\"verified\"} 2",
        "dex_token_verifications_total{outcome=\"remembered\"} 1",
        "dex_token_verifications_total{outcome=\"malformed\"} 1",
        "dex_token_verifications_total{outcome=\"unknown_key\"} 1",
        "dex_key_fetches_total{outcome=\"ok\"} 2",
    ] {
        assert!(text.contains(line), "{line} is not in\n{text}");
    }
}
