//! What Dex grants for a code or a refresh token, and what it refuses.

use anyhow::{Context as _, Result};
use devstack::endpoints::SCOPES;
use e2e::oidc::{App, LOCAL_ACCOUNTS, Refusal, Request};
use e2e::wait::until;
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;

use crate::stage::{Stage, password};

/// A fresh code of a person, and the request it belongs to.
async fn code(app: &App, login: &str) -> Result<(Request, String)> {
    let request = app.request();
    let password = password(login);
    let seen = app.browser()?.sign_in(&request.url, LOCAL_ACCOUNTS, login, &password).await?;
    let code = request.code(&seen.callback()?)?;
    Ok((request, code))
}

#[tokio::test]
async fn a_refresh_token_rotates_and_the_subject_stays() -> Result<()> {
    let app = Stage::shared().await?.app.asking_for(&format!("{SCOPES} groups"));
    let first = app.sign_in(LOCAL_ACCOUNTS, "heidi", &password("heidi")).await?;
    let second = app.rotate(&first).await?;
    let before = first.id.claims()?;
    for token in [&second.access, &second.id] {
        let after = token.claims()?;
        for claim in ["sub", "aud", "azp", "groups", "email", "preferred_username"] {
            assert_eq!(after[claim], before[claim], "{claim}");
        }
    }
    let known = app.userinfo(&second.access).await?;
    assert_eq!(known["sub"], before["sub"]);
    Ok(())
}

#[tokio::test]
async fn a_stale_refresh_token_is_refused_and_ends_its_session() -> Result<()> {
    let app = &Stage::shared().await?.app;
    let first = app.sign_in(LOCAL_ACCOUNTS, "judy", &password("judy")).await?;
    let second = app.rotate(&first).await?;
    // For some seconds the old one is answered like the new one, for apps that lost the answer.
    let stale = async || app.refresh(&first).await?.err().context("it is taken");
    let refusals = [
        until("the old token is refused", stale).await?,
        app.refresh(&second).await?.err().context("the session goes on")?,
    ];
    for refusal in refusals {
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{refusal:?}");
        assert_eq!(refusal.body["error"], "invalid_grant");
    }
    Ok(())
}

#[tokio::test]
async fn a_code_is_good_for_one_exchange_and_a_second_ends_the_first() -> Result<()> {
    let app = &Stage::shared().await?.app;
    let (request, code) = code(app, "ivan").await?;
    let verifier = request.verifier.expose_secret();
    let tokens = app.exchange(&code, verifier).await?.map_err(Refusal::into_error)?;
    let refusals = [
        app.exchange(&code, verifier).await?.err().context("a code was taken twice")?,
        app.refresh(&tokens).await?.err().context("what it yielded goes on")?,
    ];
    for refusal in refusals {
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{refusal:?}");
        assert_eq!(refusal.body["error"], "invalid_grant");
    }
    Ok(())
}

#[tokio::test]
async fn a_code_needs_the_verifier_of_its_request() -> Result<()> {
    let app = &Stage::shared().await?.app;
    for verifier in [app.request().verifier.expose_secret(), ""] {
        let (_, code) = code(app, "ivan").await?;
        let refusal = app.exchange(&code, verifier).await?.err().context("a foreign verifier")?;
        assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{refusal:?}");
    }
    Ok(())
}

#[tokio::test]
async fn a_foreign_callback_is_refused_and_not_redirected_to() -> Result<()> {
    let app = &Stage::shared().await?.app;
    let mut foreign = app.clone();
    foreign.redirect_uri = "http://localhost:5174/auth/callback".into();
    let page = foreign.browser()?.login_form(&foreign.request().url, LOCAL_ACCOUNTS).await?;
    assert_eq!(page.status, StatusCode::BAD_REQUEST, "{}", page.text());

    let (request, code) = code(app, "ken").await?;
    let verifier = request.verifier.expose_secret();
    let refusal = foreign.exchange(&code, verifier).await?.err().context("a foreign callback")?;
    assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{refusal:?}");
    Ok(())
}
