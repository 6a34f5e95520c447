//! ID tokens, each wrong in one thing

use chrono::Utc;
use dex_session::SignInError;
use serde_json::{Value, json};

use crate::setup::Setup;

async fn is_refused(claims: Value) {
    let setup = Setup::start().await;
    let begun = setup.begin().await;
    let query = setup.let_in(&begun, "c1", &claims);
    let refused = setup.finish(&begun.cookie, &query).await;
    assert!(matches!(refused, Err(SignInError::IdToken(_))), "{claims}: {refused:?}");
}

#[tokio::test]
async fn a_token_for_another_sign_in_is_refused() {
    is_refused(json!({ "nonce": "another" })).await;
    is_refused(json!({ "nonce": null })).await;
}

#[tokio::test]
async fn a_token_for_another_client_is_refused() {
    is_refused(json!({ "aud": "chat-api" })).await;
    is_refused(json!({ "aud": ["accounts", "chat-api"] })).await;
}

#[tokio::test]
async fn a_token_of_another_issuer_is_refused() {
    is_refused(json!({ "iss": "https://evil.example/dex" })).await;
}

#[tokio::test]
async fn a_token_that_is_over_or_of_the_future_is_refused() {
    let now = Utc::now().timestamp();
    is_refused(json!({ "exp": now - 60, "iat": now - 960 })).await;
    is_refused(json!({ "iat": now + 120 })).await;
}
