//! What a token must look like before anything in it is believed.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE},
};
use dex_tokens::{MAX_TOKEN_BYTES, Reason};
use serde_json::json;

use crate::{
    setup::{Setup, both, with},
    signer::{RSA, part},
};

#[tokio::test]
async fn garbage_is_refused() {
    let setup = Setup::new().await;
    let good = RSA.token(&setup.claims());
    let garbage =
        ["", ".", "..", "...", "a", "a.b", "a.b.c", "Bearer", "null", "{}", "é.é.é", "\0.\0.\0"];
    for token in garbage {
        assert_eq!(setup.refused(token).await, Reason::Malformed, "{token:?}");
    }
    for token in
        [format!("{good}."), format!(".{good}"), format!("{good}.{good}"), format!("{good} ")]
    {
        assert!(matches!(setup.refused(&token).await, Reason::Malformed | Reason::Signature));
    }
}

#[tokio::test]
async fn a_token_over_the_limit_is_refused_unread() {
    let setup = Setup::new().await;
    for signer in both() {
        let padded = |length: usize| {
            let token = signer.token(&with(setup.claims(), "padding", "x".repeat(length)));
            (token.len(), token)
        };
        let (length, fitting) = padded(23_000);
        assert!(length <= MAX_TOKEN_BYTES);
        setup.accepted(&fitting).await;
        let (length, oversized) = padded(25_000);
        assert!(length > MAX_TOKEN_BYTES);
        assert_eq!(setup.refused(&oversized).await, Reason::TooLong);
    }
    assert_eq!(setup.refused(&"x".repeat(10_000_000)).await, Reason::TooLong);
}

#[tokio::test]
async fn base64_with_padding_or_of_the_other_alphabet_is_refused() {
    let setup = Setup::new().await;
    for signer in both() {
        // Lengths that need padding, and a character whose code the two alphabets write differently.
        let mut claims = setup.claims();
        while claims.to_string().len() % 3 == 0
            || !STANDARD.encode(claims.to_string()).contains('/')
        {
            claims["padding"] = format!("{}?", claims["padding"].as_str().unwrap_or("?")).into();
        }
        let header = part(&signer.header());
        setup.accepted(&signer.token(&claims)).await;
        for payload in [URL_SAFE.encode(claims.to_string()), STANDARD.encode(claims.to_string())] {
            let token = signer.sign_parts(&header, &payload);
            assert_eq!(setup.refused(&token).await, Reason::Malformed);
        }
        let signature_padded = format!("{}=", signer.token(&claims));
        assert_eq!(setup.refused(&signature_padded).await, Reason::Signature);
    }
}

#[tokio::test]
async fn parts_that_are_no_json_objects_are_refused() {
    let setup = Setup::new().await;
    for signer in both() {
        let claims = part(&setup.claims());
        for header in [json!(null), json!("RS256"), json!({"kid": signer.kid}), json!({"alg": 1})] {
            let token = signer.sign_parts(&part(&header), &claims);
            assert_eq!(setup.refused(&token).await, Reason::Malformed, "{header}");
        }
        for payload in [json!(null), json!("x"), json!(7)] {
            let token = signer.token(&payload);
            assert_eq!(setup.refused(&token).await, Reason::Malformed, "{payload}");
        }
        let twice = setup.claims().to_string().replacen('{', "{\"sub\":\"mallory\",", 1);
        let token = signer.sign_parts(&part(&signer.header()), &base64_of(&twice));
        assert_eq!(setup.refused(&token).await, Reason::Malformed, "a claim given twice");
    }
}

#[tokio::test]
async fn a_token_that_demands_extensions_is_refused() {
    let setup = Setup::new().await;
    for signer in both() {
        for crit in [json!(["exp"]), json!(["b64"]), json!([]), json!(null), json!("x")] {
            let token = signer.sign(&with(signer.header(), "crit", crit.clone()), &setup.claims());
            assert_eq!(setup.refused(&token).await, Reason::Critical, "{crit}");
        }
    }
}

#[tokio::test]
async fn a_token_that_does_not_name_its_key_is_refused() {
    let setup = Setup::new().await;
    for signer in both() {
        for header in [json!({"alg": signer.alg()}), json!({"alg": signer.alg(), "kid": ""})] {
            let token = signer.sign(&header, &setup.claims());
            assert_eq!(setup.refused(&token).await, Reason::NoKeyId);
        }
    }
}

#[tokio::test]
async fn the_type_in_the_header_does_not_matter() {
    let setup = Setup::new().await;
    for signer in both() {
        for typ in ["JWT", "jwt", "at+jwt", "anything"] {
            setup.accepted(&signer.sign(&with(signer.header(), "typ", typ), &setup.claims())).await;
        }
    }
}

fn base64_of(text: &str) -> String {
    base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
}
