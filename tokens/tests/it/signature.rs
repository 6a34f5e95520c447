//! Who may have signed, and how.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use chrono::TimeDelta;
use dex_tokens::Reason;
use serde_json::json;

use crate::{
    issuer::{Issuer, jwks},
    setup::{Setup, both, with},
    signer::{EC, NEW_EC, NEW_RSA, RSA, hs256, part},
};

#[tokio::test]
async fn a_token_without_signature_is_refused() {
    let setup = Setup::new().await;
    let claims = part(&setup.claims());
    for signer in both() {
        for alg in ["none", "None", "NONE", "nOnE", ""] {
            let header = with(signer.header(), "alg", alg);
            let unsigned = format!("{}.{claims}.", part(&header));
            assert_eq!(setup.refused(&unsigned).await, Reason::Algorithm);
            assert_eq!(
                setup.refused(&signer.sign(&header, &setup.claims())).await,
                Reason::Algorithm
            );
        }
        let stripped = format!("{}.{claims}.", part(&signer.header()));
        assert_eq!(setup.refused(&stripped).await, Reason::Signature);
    }
}

#[tokio::test]
async fn the_public_key_is_no_hmac_secret() {
    let setup = Setup::new().await;
    for signer in both() {
        let header = with(signer.header(), "alg", "HS256");
        let modulus = signer.jwk()["n"].as_str().unwrap_or_default().to_owned();
        let secrets: [&[u8]; 5] = [
            signer.public_pem.as_bytes(),
            signer.public_pem.trim_end().as_bytes(),
            &signer.public_der,
            &URL_SAFE_NO_PAD.decode(&modulus).unwrap(),
            b"",
        ];
        for secret in secrets {
            let token = hs256(secret, &header, &setup.claims());
            assert_eq!(setup.refused(&token).await, Reason::Algorithm);
            // And with a header that lies about the algorithm.
            let token = hs256(secret, &signer.header(), &setup.claims());
            assert_eq!(setup.refused(&token).await, Reason::Signature);
        }
    }
}

#[tokio::test]
async fn only_rs256_and_es256_are_accepted() {
    let setup = Setup::new().await;
    let others =
        ["RS384", "RS512", "PS256", "ES384", "ES512", "EdDSA", "HS256", "HS512", "rs256", "dir"];
    for signer in both() {
        for alg in others {
            let token = signer.sign(&with(signer.header(), "alg", alg), &setup.claims());
            assert_eq!(setup.refused(&token).await, Reason::Algorithm, "{alg}");
        }
    }
}

#[tokio::test]
async fn the_algorithm_is_the_one_of_the_key() {
    let setup = Setup::new().await;
    // The signature fits the key, but the header names the other key's algorithm.
    let token = RSA.sign(&with(RSA.header(), "alg", "ES256"), &setup.claims());
    assert_eq!(setup.refused(&token).await, Reason::Algorithm);
    let token = EC.sign(&with(EC.header(), "alg", "RS256"), &setup.claims());
    assert_eq!(setup.refused(&token).await, Reason::Algorithm);
    // The signature fits the algorithm, but the header names the other kind of key.
    let token = RSA.sign(&with(RSA.header(), "kid", EC.kid), &setup.claims());
    assert_eq!(setup.refused(&token).await, Reason::Algorithm);
    let token = EC.sign(&with(EC.header(), "kid", RSA.kid), &setup.claims());
    assert_eq!(setup.refused(&token).await, Reason::Algorithm);
}

#[tokio::test]
async fn changed_content_is_refused() {
    let setup = Setup::new().await;
    for signer in both() {
        let token = signer.token(&setup.claims());
        let parts: Vec<_> = token.split('.').collect();
        let other = part(&with(setup.claims(), "sub", "mallory"));
        let changed = format!("{}.{other}.{}", parts[0], parts[2]);
        assert_eq!(setup.refused(&changed).await, Reason::Signature);
        let header = part(&with(signer.header(), "typ", "JWT"));
        let changed = format!("{header}.{}.{}", parts[1], parts[2]);
        assert_eq!(setup.refused(&changed).await, Reason::Signature);
    }
}

#[tokio::test]
async fn a_changed_signature_is_refused() {
    let setup = Setup::new().await;
    for signer in both() {
        let token = signer.token(&setup.claims());
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let bytes = URL_SAFE_NO_PAD.decode(signature).unwrap();
        let mut flipped = bytes.clone();
        flipped[7] ^= 1;
        let longer = [&bytes[..], &[0]].concat();
        let zeros = vec![0; bytes.len()];
        for bad in [&flipped, &longer, &bytes[1..].to_vec(), &zeros] {
            let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(bad));
            assert_eq!(setup.refused(&token).await, Reason::Signature);
        }
        let other_content = signer.token(&with(setup.claims(), "sub", "bob"));
        let (_, of_other_content) = other_content.rsplit_once('.').unwrap();
        let token = format!("{signed}.{of_other_content}");
        assert_eq!(setup.refused(&token).await, Reason::Signature);
    }
}

#[tokio::test]
async fn a_key_of_somebody_else_under_our_kid_is_refused() {
    let setup = Setup::new().await;
    for (ours, theirs) in [(&*RSA, &*NEW_RSA), (&*EC, &*NEW_EC)] {
        let token = theirs.named(ours.kid).token(&setup.claims());
        assert_eq!(setup.refused(&token).await, Reason::Signature);
    }
}

#[tokio::test]
async fn a_token_cannot_bring_its_own_key() {
    let setup = Setup::new().await;
    for attacker in [&*NEW_RSA, &*NEW_EC] {
        let place = Issuer::start(&[attacker]).await;
        let keys = format!("{}/keys", place.url);
        let header = json!({
            "alg": attacker.alg(),
            "kid": attacker.kid,
            "jku": keys,
            "x5u": keys,
            "jwk": attacker.jwk(),
            "jwks": jwks(&[attacker]),
            "x5c": [attacker.public_pem],
        });
        let token = attacker.sign(&header, &setup.claims());
        assert_eq!(setup.refused(&token).await, Reason::UnknownKey);
        for ours in both() {
            let token = attacker.sign(&with(header.clone(), "kid", ours.kid), &setup.claims());
            let reason = setup.refused(&token).await;
            assert!(matches!(reason, Reason::Signature | Reason::Algorithm), "{reason}");
        }
        assert_eq!((place.keys.requests(), place.discovery.requests()), (0, 0));
        // The next one's key may be searched for again.
        setup.clock.advance(TimeDelta::seconds(30));
    }
    // A genuine token may carry such a header: it is not read.
    let header = with(RSA.header(), "jku", "http://127.0.0.1:1/keys");
    setup.accepted(&RSA.sign(&with(header, "jwk", 7), &setup.claims())).await;
}
