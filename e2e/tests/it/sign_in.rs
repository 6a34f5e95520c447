//! Signing in on Dex's pages.

use anyhow::{Context as _, Result};
use devstack::endpoints::{DemoUser, SCOPES};
use e2e::browser::Page;
use e2e::oidc::{EMAIL, LOCAL_ACCOUNTS};
use reqwest::StatusCode;
use serde_json::json;
use sqlx::Connection as _;
use sqlx::postgres::PgConnection;

use crate::stage::{Stage, password};

/// The page after an attempt that is refused.
async fn refused(stage: &Stage, login: &str, password: &str) -> Result<Page> {
    let request = stage.app.request();
    let browser = stage.app.browser()?;
    browser.sign_in(&request.url, LOCAL_ACCOUNTS, login, password).await?.page()
}

#[tokio::test]
async fn the_page_offers_local_accounts_beside_email() -> Result<()> {
    let stage = Stage::shared().await?;
    let page = stage.app.browser()?.open(&stage.app.request().url).await?.page()?;
    assert_eq!(page.links(), ["Log in with Email", "Log in with Local Accounts"]);
    Ok(())
}

#[tokio::test]
async fn the_sign_in_url_of_the_stack_leads_to_the_page() -> Result<()> {
    let stage = Stage::shared().await?;
    let request = stage.stack.endpoints().sign_in_url.parse()?;
    let page = stage.app.browser()?.login_form(&request, LOCAL_ACCOUNTS).await?;
    assert!(page.text().contains("Username or e-mail"), "{}", page.text());
    Ok(())
}

#[tokio::test]
async fn the_right_password_yields_tokens_that_say_who_it_is() -> Result<()> {
    let stage = Stage::shared().await?;
    let app = stage.app.asking_for(&format!("{SCOPES} groups"));
    let tokens = app.sign_in(LOCAL_ACCOUNTS, "carol", &password("carol")).await?;
    for token in [&tokens.access, &tokens.id] {
        let claims = token.claims()?;
        assert_eq!(claims["aud"], json!(["chat-api", "chat-app-frontend"]));
        assert_eq!(claims["azp"], "chat-app-frontend");
        assert_eq!(claims["name"], "Carol Example");
        assert_eq!(claims["preferred_username"], "carol");
        assert_eq!(claims["email"], "carol@example.com");
        assert_eq!(claims["email_verified"], true);
        assert_eq!(claims["groups"], json!(["staff"]));
        let lifetime = claims["exp"].as_i64().zip(claims["iat"].as_i64()).map(|(e, i)| e - i);
        assert_eq!(lifetime, Some(15 * 60));
    }
    let known = stage.app.userinfo(&tokens.access).await?;
    assert_eq!(known["sub"], tokens.id.claims()?["sub"]);
    assert_eq!(known["email"], "carol@example.com");
    Ok(())
}

#[tokio::test]
async fn an_e_mail_address_signs_the_same_person_in() -> Result<()> {
    let stage = Stage::shared().await?;
    let by_name = stage.app.sign_in(LOCAL_ACCOUNTS, "dave", &password("dave")).await?;
    let by_address =
        stage.app.sign_in(LOCAL_ACCOUNTS, "dave@example.com", &password("dave")).await?;
    assert_eq!(by_name.id.claims()?["sub"], by_address.id.claims()?["sub"]);
    Ok(())
}

#[tokio::test]
async fn groups_are_told_only_when_asked_for() -> Result<()> {
    let stage = Stage::shared().await?;
    let modest = stage.app.asking_for("openid profile email");
    let tokens = modest.sign_in(LOCAL_ACCOUNTS, "erin", &password("erin")).await?;
    assert_eq!(tokens.id.claims()?.get("groups"), None);
    assert!(tokens.refresh.is_none(), "offline_access was not asked for");
    Ok(())
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_name_get_the_same_answer() -> Result<()> {
    let stage = Stage::shared().await?;
    let wrong = refused(stage, "frank", "frank sings in the shower").await?;
    let unknown = refused(stage, "nobody", &password("frank")).await?;
    assert_eq!(
        (wrong.status, unknown.status),
        (StatusCode::UNAUTHORIZED, StatusCode::UNAUTHORIZED)
    );
    assert!(wrong.text().contains("Invalid Username or e-mail and password."), "{}", wrong.text());
    assert_eq!(wrong.text(), unknown.text());
    Ok(())
}

#[tokio::test]
async fn after_a_wrong_password_the_right_one_signs_in_on_the_same_page() -> Result<()> {
    let stage = Stage::shared().await?;
    let (request, browser) = (stage.app.request(), stage.app.browser()?);
    let wrong = [("login", "frank"), ("password", "not it")];
    let form = browser.login_form(&request.url, LOCAL_ACCOUNTS).await?;
    let again = browser.submit(&form, &wrong).await?.page()?;
    let right = [("login", "frank"), ("password", &*password("frank"))];
    request.code(&browser.submit(&again, &right).await?.callback()?).map(drop)
}

#[tokio::test]
async fn a_disabled_person_is_refused_at_login_and_at_refresh() -> Result<()> {
    let stage = Stage::shared().await?;
    let tokens = stage.app.sign_in(LOCAL_ACCOUNTS, "grace", &password("grace")).await?;

    let mut accounts = PgConnection::connect(&stage.stack.endpoints().postgres).await?;
    let disable = "update users set is_active = false where username = 'grace'";
    assert_eq!(sqlx::query(disable).execute(&mut accounts).await?.rows_affected(), 1);

    let disabled = refused(stage, "grace", &password("grace")).await?;
    let wrong = refused(stage, "grace", "not it").await?;
    assert_eq!(disabled.status, StatusCode::UNAUTHORIZED);
    assert_eq!(disabled.text(), wrong.text());
    let refusal = stage.app.refresh(&tokens).await?.err().context("she goes on")?;
    assert_eq!(refusal.status, StatusCode::BAD_REQUEST, "{refusal:?}");
    assert_eq!(refusal.body["error"], "invalid_grant");
    Ok(())
}

#[tokio::test]
async fn a_person_of_dex_s_own_list_signs_in_by_e_mail() -> Result<()> {
    let stage = Stage::shared().await?;
    let DemoUser { login, password } = &stage.stack.endpoints().email_user;
    let tokens = stage.app.sign_in(EMAIL, login, password).await.context("behind Email")?;
    let claims = tokens.id.claims()?;
    assert_eq!(claims["email"], login.as_str());
    assert_eq!(claims["aud"], json!(["chat-api", "chat-app-frontend"]));
    Ok(())
}
