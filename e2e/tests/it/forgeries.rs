//! Tokens that the chat API must not take.

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use devstack::dex::OTHER_CLIENT_ID;
use devstack::name::random_token;
use e2e::chat::Chat;
use e2e::oidc::{App, LOCAL_ACCOUNTS, Token};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, crypto};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::stage::{Stage, password};

/// The chat API takes the token neither for REST nor for a socket.
async fn assert_refused(stage: &Stage, what: &str, token: &Token) -> Result<()> {
    let chat = Chat::new(&stage.stack.endpoints().chat_api, token)?;
    let reply = chat.try_post(&json!({ "content": "forged" })).await?;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED, "{what}: {}", reply.body);
    assert_eq!(reply.body["type"], "urn:problem-type:chat:invalid-token", "{what}");
    assert_eq!(reply.headers["www-authenticate"], "Bearer error=\"invalid_token\"", "{what}");
    let error = chat.connect().await.err().with_context(|| format!("{what}: a socket opened"))?;
    assert!(format!("{error:#}").contains("4500"), "{what}: {error:#}");
    Ok(())
}

/// Alice's token, which passes.
async fn genuine(stage: &Stage) -> Result<&Token> {
    stage.chat(1, &stage.alice)?.post("genuine").await.context("the genuine token")?;
    Ok(&stage.alice.access)
}

/// The token's three parts, decoded as far as they are JSON.
fn parts(token: &Token) -> Result<(Value, Value, String)> {
    let [header, claims, signature] =
        token.expose().split('.').collect::<Vec<_>>().try_into().ok().context("three parts")?;
    let json = |part| anyhow::Ok(serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part)?)?);
    Ok((json(header)?, json(claims)?, signature.to_owned()))
}

fn signed(
    header: &Value,
    claims: &Value,
    sign: impl FnOnce(&str) -> Result<String>,
) -> Result<Token> {
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let message = format!("{header}.{claims}");
    let signature = sign(&message)?;
    Ok(Token::new(format!("{message}.{signature}")))
}

#[tokio::test]
async fn without_a_token_nothing_is_taken() -> Result<()> {
    let stage = Stage::shared().await?;
    let chat = Chat::anonymous(&stage.stack.endpoints().chat_api)?;
    let reply = chat.try_post(&json!({ "content": "hello" })).await?;
    assert_eq!(reply.status, StatusCode::UNAUTHORIZED);
    assert_eq!(reply.body["type"], "urn:problem-type:chat:missing-token");
    Ok(())
}

#[tokio::test]
async fn a_token_that_says_it_needs_no_signature_is_refused() -> Result<()> {
    let stage = Stage::shared().await?;
    let (header, claims, signature) = parts(genuine(stage).await?)?;
    for alg in ["none", "None", "NONE"] {
        let unsigned = json!({ "alg": alg, "kid": header["kid"], "typ": "JWT" });
        for signature in ["", &signature] {
            let token = signed(&unsigned, &claims, |_| Ok(signature.to_owned()))?;
            assert_refused(stage, alg, &token).await?;
        }
    }
    Ok(())
}

#[tokio::test]
async fn a_token_signed_with_the_public_key_as_a_password_is_refused() -> Result<()> {
    let stage = Stage::shared().await?;
    let genuine = genuine(stage).await?;
    let (header, claims, _) = parts(genuine)?;
    let keys = stage.app.keys().await?;
    let key =
        keys["keys"].as_array().and_then(|keys| keys.iter().find(|k| k["kid"] == header["kid"]));
    let key = key.context("Dex publishes the key it signs with")?;
    let number = |name: &str| {
        URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap_or_default()).context("a key's number")
    };
    let der = public_key(&number("n")?, &number("e")?);
    let pem = format!(
        "-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n",
        wrapped(&STANDARD.encode(&der))
    );
    let (message, signature) = genuine.expose().rsplit_once('.').context("three parts")?;
    let dex = DecodingKey::from_rsa_pem(pem.as_bytes())?;
    assert!(crypto::verify(signature, message.as_bytes(), &dex, Algorithm::RS256)?, "Dex's key");

    let header = json!({ "alg": "HS256", "kid": header["kid"], "typ": "JWT" });
    for password in [pem.as_bytes(), pem.trim_end().as_bytes(), &der, key.to_string().as_bytes()] {
        let secret = EncodingKey::from_secret(password);
        let sign = |text: &str| Ok(crypto::sign(text.as_bytes(), &secret, Algorithm::HS256)?);
        assert_refused(stage, "HS256", &signed(&header, &claims, sign)?).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_token_of_another_key_under_dex_s_kid_is_refused() -> Result<()> {
    let stage = Stage::shared().await?;
    let (header, claims, _) = parts(genuine(stage).await?)?;
    let foreign = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
    let foreign = EncodingKey::from_rsa_pem(foreign.serialize_pem().as_bytes())?;
    let sign = |text: &str| Ok(crypto::sign(text.as_bytes(), &foreign, Algorithm::RS256)?);
    assert_refused(stage, "another key", &signed(&header, &claims, sign)?).await
}

#[tokio::test]
async fn a_token_that_was_changed_is_refused() -> Result<()> {
    let stage = Stage::shared().await?;
    let genuine = genuine(stage).await?;
    let (header, claims, signature) = parts(genuine)?;
    for (claim, value) in [("sub", json!("somebody else")), ("exp", json!(4_102_444_800_i64))] {
        let mut claims = claims.clone();
        claims[claim] = value;
        let token = signed(&header, &claims, |_| Ok(signature.clone()))?;
        assert_refused(stage, claim, &token).await?;
    }
    let cut = genuine.expose().rsplit_once('.').context("three parts")?.0;
    for signature in ["", &random_token(256)] {
        let token = Token::new(format!("{cut}.{signature}"));
        assert_refused(stage, "another signature", &token).await?;
    }
    Ok(())
}

#[tokio::test]
async fn a_genuine_token_for_somebody_else_is_refused() -> Result<()> {
    let stage = Stage::shared().await?;
    let scopes = "openid profile email";
    let other = App::discover(stage.stack.endpoints(), OTHER_CLIENT_ID, scopes).await?;
    for (what, app) in [("other-app", other), ("the SPA itself", stage.app.asking_for(scopes))] {
        let tokens = app.sign_in(LOCAL_ACCOUNTS, "laura", &password("laura")).await?;
        let audience = tokens.access.claims()?["aud"].clone();
        assert!(!audience.to_string().contains("chat-api"), "{what}: {audience}");
        assert_refused(stage, what, &tokens.access).await?;
        assert_refused(stage, what, &tokens.id).await?;
    }
    Ok(())
}

#[tokio::test]
async fn another_app_gets_no_token_for_the_chat_api() -> Result<()> {
    let stage = Stage::shared().await?;
    let scopes = "openid audience:server:client_id:chat-api";
    let other = App::discover(stage.stack.endpoints(), OTHER_CLIENT_ID, scopes).await?;
    let refused = other.sign_in(LOCAL_ACCOUNTS, "laura", &password("laura")).await;
    assert!(refused.is_err(), "other-app is no trusted peer of chat-api");
    Ok(())
}

/// An RSA key as `SubjectPublicKeyInfo` (RFC 5280, section 4.1; RFC 8017, appendix A.1.1).
fn public_key(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
    const RSA_ENCRYPTION: [u8; 15] =
        [0x30, 13, 6, 9, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1, 5, 0];
    let integer = |bytes: &[u8]| {
        // A first bit that is set would be a sign.
        let sign: &[u8] =
            if bytes.first().is_some_and(|first| *first >= 0x80) { &[0] } else { &[] };
        element(2, &[sign, bytes].concat())
    };
    let key = element(0x30, &[integer(modulus), integer(exponent)].concat());
    element(0x30, &[RSA_ENCRYPTION.to_vec(), element(3, &[&[0], &*key].concat())].concat())
}

fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u16::try_from(content.len()).expect("a key is small").to_be_bytes();
    let length = match length {
        [0, short @ 0..0x80] => vec![short],
        [0, long] => vec![0x81, long],
        [high, low] => vec![0x82, high, low],
    };
    [vec![tag], length, content.to_vec()].concat()
}

fn wrapped(text: &str) -> String {
    let lines: Vec<String> =
        text.chars().collect::<Vec<_>>().chunks(64).map(|line| line.iter().collect()).collect();
    lines.join("\n")
}
