//! Which keys are taken from the issuer, and when.

use std::{sync::Arc, time::Duration};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use dex_tokens::{Reason, TokenError};
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use crate::{
    issuer::{Answer, Issuer, jwks},
    setup::{Setup, both, eventually, with, without},
    signer::{EC, NEW_EC, NEW_RSA, RSA, Signer},
};

/// A verifier whose issuer publishes the EC key and `odd`.
async fn publishing(odd: Value) -> Setup {
    let issuer = Issuer::start(&[]).await;
    issuer.keys.set(Answer::json(&json!({"keys": [odd, EC.jwk()]})));
    let setup = Setup::with(issuer, |config| config);
    setup.accepted(&EC.token(&setup.claims())).await;
    setup
}

#[tokio::test]
async fn keys_for_other_purposes_are_not_used() {
    for signer in [&*RSA, &*NEW_EC] {
        for (name, value) in [
            ("use", json!("enc")),
            ("use", json!("other")),
            ("key_ops", json!(["encrypt"])),
            ("key_ops", json!([])),
            ("alg", json!("RSA-OAEP")),
            ("alg", json!("RS512")),
            ("alg", json!("HS256")),
        ] {
            let setup = publishing(with(signer.jwk(), name, value.clone())).await;
            let reason = setup.refused(&signer.token(&setup.claims())).await;
            assert_eq!(reason, Reason::UnknownKey, "{name}: {value}");
        }
        let plain = without(without(signer.jwk(), "use"), "alg");
        for jwk in [plain.clone(), with(plain, "key_ops", json!(["verify"]))] {
            let setup = publishing(jwk).await;
            setup.accepted(&signer.token(&setup.claims())).await;
        }
    }
}

#[tokio::test]
async fn weak_and_unsupported_keys_are_not_used() {
    let modulus = URL_SAFE_NO_PAD.decode(RSA.jwk()["n"].as_str().unwrap()).unwrap();
    let rsa_of = |bytes: &[u8]| with(RSA.jwk(), "n", URL_SAFE_NO_PAD.encode(bytes));
    let mut of_2047_bits = modulus.clone();
    of_2047_bits[0] = (of_2047_bits[0] & 0x7f) | 0x40;
    let zero_padded = [&[0; 256], &modulus[..128]].concat();
    let odd = [
        rsa_of(&modulus[..128]),
        rsa_of(&of_2047_bits),
        rsa_of(&zero_padded),
        with(NEW_EC.named(RSA.kid).jwk(), "crv", "P-384"),
        json!({"kty": "oct", "kid": RSA.kid, "use": "sig", "k": "c2VjcmV0"}),
        json!({"kty": "OKP", "crv": "Ed25519", "kid": RSA.kid, "x": "AAAA"}),
    ];
    for jwk in odd {
        let setup = publishing(without_if_there(jwk.clone(), "alg")).await;
        let reason = setup.refused(&RSA.token(&setup.claims())).await;
        assert_eq!(reason, Reason::UnknownKey, "{jwk}");
    }
}

fn without_if_there(mut jwk: Value, name: &str) -> Value {
    jwk.as_object_mut().unwrap().remove(name);
    jwk
}

#[tokio::test]
async fn an_unreadable_key_does_not_spoil_the_others() {
    let odd = [
        json!(null),
        json!("key"),
        json!({}),
        json!({"kty": "RSA", "kid": 7}),
        with(RSA.jwk(), "n", "***"),
        with(NEW_EC.jwk(), "x", "***"),
        without(RSA.jwk(), "kid"),
    ];
    for jwk in odd {
        let setup = publishing(jwk).await;
        assert_eq!(setup.refused(&RSA.token(&setup.claims())).await, Reason::UnknownKey);
    }
}

#[tokio::test]
async fn of_two_keys_with_one_kid_the_first_counts() {
    let issuer = Issuer::start(&[&NEW_EC.named("twice"), &RSA.named("twice")]).await;
    let setup = Setup::with(issuer, |config| config);
    setup.accepted(&NEW_EC.named("twice").token(&setup.claims())).await;
    let reason = setup.refused(&RSA.named("twice").token(&setup.claims())).await;
    assert_eq!(reason, Reason::Algorithm);
}

#[tokio::test]
async fn a_new_key_is_accepted_after_one_fetch() {
    for (old, new) in [(&*RSA, &*NEW_RSA), (&*EC, &*NEW_EC)] {
        let setup = Setup::new().await;
        setup.issuer.publish(&[new, old]);
        setup.accepted(&new.token(&setup.claims())).await;
        setup.accepted(&old.token(&setup.claims())).await;
        assert_eq!(setup.issuer.keys.requests(), 2);
    }
}

#[tokio::test]
async fn a_hundred_tokens_with_a_new_key_cause_one_fetch() {
    let setup = Setup::new().await;
    setup.issuer.publish(&[&RSA, &NEW_RSA]);
    let tokens: Vec<_> = (0..100)
        .map(|n| NEW_RSA.token(&with(setup.claims(), "sub", format!("user-{n}"))))
        .collect();
    join_all(tokens.iter().map(|token| setup.accepted(token))).await;
    assert_eq!(setup.issuer.keys.requests(), 2);
}

#[tokio::test]
async fn unknown_keys_cause_one_fetch_in_thirty_seconds() {
    let setup = Setup::new().await;
    let strangers =
        |names: [&'static str; 100]| names.map(|kid| NEW_RSA.named(kid).token(&setup.claims()));
    let tokens = strangers(std::array::from_fn(|n| ["a", "b", "c", "d"][n % 4]));
    let refused = || async {
        let reasons = join_all(tokens.iter().map(|token| setup.refused(token))).await;
        assert!(reasons.iter().all(|reason| *reason == Reason::UnknownKey));
    };
    refused().await;
    refused().await;
    assert_eq!(setup.issuer.keys.requests(), 2);
    setup.clock.advance(TimeDelta::seconds(29));
    refused().await;
    assert_eq!(setup.issuer.keys.requests(), 2);
    setup.clock.advance(TimeDelta::seconds(1));
    refused().await;
    assert_eq!(setup.issuer.keys.requests(), 3);
}

#[tokio::test]
async fn a_failed_search_is_not_repeated_for_thirty_seconds() {
    let setup = Setup::new().await;
    setup.issuer.keys.set(Answer::Status(axum::http::StatusCode::BAD_GATEWAY, String::new()));
    let token = NEW_RSA.token(&setup.claims());
    for seconds in [0, 0, 29] {
        setup.clock.advance(TimeDelta::seconds(seconds));
        assert_eq!(setup.verify(&token).await, Err(TokenError::Unavailable));
        assert_eq!(setup.issuer.keys.requests(), 2);
    }
    setup.issuer.publish(&[&NEW_RSA]);
    setup.clock.advance(TimeDelta::seconds(1));
    setup.accepted(&token).await;
    assert_eq!(setup.issuer.keys.requests(), 3);
}

#[tokio::test]
async fn a_new_key_is_put_off_and_not_refused_while_others_make_keys_up() {
    let setup = Setup::new().await;
    let made_up = |kid| NEW_EC.named(kid).token(&setup.claims());
    assert_eq!(setup.refused(&made_up("a")).await, Reason::UnknownKey);
    setup.issuer.publish(&[&RSA, &NEW_RSA]);
    setup.clock.advance(TimeDelta::seconds(10));
    let new = NEW_RSA.token(&setup.claims());
    for kid in ["b", "c", "d"] {
        assert_eq!(setup.verify(&made_up(kid)).await, Err(TokenError::Unavailable));
        assert_eq!(setup.verify(&new).await, Err(TokenError::Unavailable));
    }
    // What was searched for stays refused meanwhile, and nothing is fetched.
    assert_eq!(setup.refused(&made_up("a")).await, Reason::UnknownKey);
    assert_eq!(setup.issuer.keys.requests(), 2);

    // Whoever causes the next search, it is for all.
    setup.clock.advance(TimeDelta::seconds(20));
    assert_eq!(setup.refused(&made_up("e")).await, Reason::UnknownKey);
    setup.clock.advance(TimeDelta::seconds(1));
    setup.accepted(&new).await;
    assert_eq!(setup.refused(&made_up("b")).await, Reason::UnknownKey);
    assert_eq!(setup.issuer.keys.requests(), 3);
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_without_another_search() {
    let setup = Setup::new().await;
    setup.issuer.publish(&[&NEW_RSA]);
    setup.accepted(&NEW_RSA.token(&setup.claims())).await;
    setup.clock.advance(TimeDelta::seconds(10));
    assert_eq!(setup.refused(&RSA.token(&setup.claims())).await, Reason::UnknownKey);
    assert_eq!(setup.issuer.keys.requests(), 2);
}

#[tokio::test]
async fn a_clock_set_back_does_not_prolong_the_pause() {
    let setup = Setup::new().await;
    assert_eq!(setup.refused(&NEW_RSA.token(&setup.claims())).await, Reason::UnknownKey);
    setup.issuer.publish(&[&NEW_RSA]);
    setup.clock.advance(TimeDelta::hours(-1));
    setup.accepted(&NEW_RSA.token(&setup.claims())).await;
}

/// What the issuer says, and after how many seconds the keys are old.
const AGES: [(&str, i64); 5] = [
    ("", 600),
    ("max-age=300, must-revalidate", 300),
    ("public, max-age=1", 60),
    ("max-age=86400", 600),
    ("max-age=soon", 600),
];

#[tokio::test]
async fn keys_are_not_renewed_before_they_are_old() {
    for (cache_control, seconds) in AGES {
        let setup = Setup::with(Issuer::start(&[]).await, |config| config);
        setup.issuer.keys.set(Answer::Kept(cache_control, jwks(&[&RSA]).to_string()));
        setup.accepted(&RSA.token(&setup.claims())).await;
        setup.clock.advance(TimeDelta::seconds(seconds - 1));
        setup.accepted(&RSA.token(&setup.claims())).await;
        // A renewal would begin now, and the search would wait for its end.
        tokio::task::yield_now().await;
        setup.refused(&NEW_RSA.token(&setup.claims())).await;
        assert_eq!(setup.issuer.keys.requests(), 2, "{cache_control}");
    }
}

#[tokio::test]
async fn keys_are_renewed_in_the_background_when_they_are_old() {
    for (cache_control, seconds) in AGES {
        let setup = Setup::with(Issuer::start(&[]).await, |config| config);
        let body = jwks(&[&RSA]).to_string();
        setup.issuer.keys.set(Answer::Kept(cache_control, body.clone()));
        let token = RSA.token(&with(setup.claims(), "exp", setup.clock.seconds() + 7_200));
        setup.accepted(&token).await;

        // The issuer takes its time: nobody waits for it.
        let gate = Arc::new(Semaphore::new(0));
        setup.issuer.keys.set(Answer::Gate(Arc::clone(&gate), body));
        setup.clock.advance(TimeDelta::seconds(seconds));
        setup.accepted(&token).await;
        eventually(|| setup.issuer.keys.requests() == 2).await;
        setup.accepted(&token).await;
        setup.accepted(&RSA.token(&setup.claims())).await;
        gate.add_permits(1);
    }
}

#[tokio::test]
async fn keys_are_renewed_without_any_token() {
    let setup = Setup::with(Issuer::start(&[&RSA]).await, |config| {
        config.with_age_check(Duration::from_millis(10))
    });
    setup.accepted(&RSA.token(&setup.claims())).await;
    setup.clock.advance(TimeDelta::minutes(10));
    eventually(|| setup.issuer.keys.requests() == 2).await;
}

#[tokio::test]
async fn a_withdrawn_key_is_refused_after_the_renewal() {
    for (old, new) in [(&*RSA, &*NEW_RSA), (&*EC, &*NEW_EC)] {
        let setup = Setup::new().await;
        setup.issuer.publish(&[new]);
        // The search for the new key brings the set without the old one.
        setup.accepted(&new.token(&setup.claims())).await;
        assert_eq!(setup.refused(&old.token(&setup.claims())).await, Reason::UnknownKey);
    }
}

#[tokio::test]
async fn a_caller_that_goes_away_does_not_abort_the_fetch() {
    let setup = Setup::new().await;
    let gate = Arc::new(Semaphore::new(0));
    let body = jwks(&[&RSA, &NEW_RSA]).to_string();
    setup.issuer.keys.set(Answer::Gate(Arc::clone(&gate), body));
    let verifier = Arc::clone(&setup.verifier);
    let stranger = NEW_EC.token(&setup.claims());
    let caller = tokio::spawn(async move { verifier.verify(&stranger).await });
    eventually(|| setup.issuer.keys.requests() == 2).await;
    caller.abort();
    assert!(caller.await.unwrap_err().is_cancelled());
    gate.add_permits(1);
    setup.accepted(&NEW_RSA.token(&setup.claims())).await;
    assert_eq!(setup.issuer.keys.requests(), 2);
}

#[tokio::test]
async fn known_keys_are_used_while_a_search_is_under_way() {
    let setup = Setup::new().await;
    setup.issuer.keys.set(Answer::Gate(Arc::new(Semaphore::new(0)), String::new()));
    let verifier = Arc::clone(&setup.verifier);
    let stranger = NEW_RSA.token(&setup.claims());
    let search = tokio::spawn(async move { verifier.verify(&stranger).await });
    eventually(|| setup.issuer.keys.requests() == 2).await;
    for signer in both() {
        setup.accepted(&fresh(signer, &setup)).await;
    }
    assert!(!search.is_finished());
}

/// A token that was not seen before.
fn fresh(signer: &Signer, setup: &Setup) -> String {
    signer.token(&with(setup.claims(), "jti", "fresh"))
}
