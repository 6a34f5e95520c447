//! What must not be in any log.

use std::fs;

use anyhow::{Context as _, Result};
use e2e::oidc::{LOCAL_ACCOUNTS, Refusal};
use secrecy::ExposeSecret as _;

use crate::stage::{Stage, mark, password};

#[tokio::test]
async fn no_log_holds_a_password_a_token_or_a_message() -> Result<()> {
    let stage = Stage::open_apart().await?;
    let (stack, app) = (&stage.stack, &stage.app);
    let typed = format!("{} typed wrong", mark("password"));
    let said = format!("{} said in confidence", mark("content"));

    // Once through everything, right and wrong.
    let request = app.request();
    let browser = app.browser()?;
    browser.sign_in(&request.url, LOCAL_ACCOUNTS, "ken", &typed).await?.page()?;
    let callback = browser.sign_in(&request.url, LOCAL_ACCOUNTS, "ken", &password("ken")).await?;
    let code = request.code(&callback.callback()?)?;
    let verifier = request.verifier.expose_secret();
    let tokens = app.exchange(&code, verifier).await?.map_err(Refusal::into_error)?;
    let renewed = app.refresh(&tokens).await?.map_err(Refusal::into_error)?;
    assert!(app.exchange(&code, verifier).await?.is_err(), "a replay");
    let chat = stage.chat(1, &renewed)?;
    let mut listener = chat.listen().await?;
    let accepted = chat.post(&said).await?;
    listener.event(|event| event.message_id() == accepted.message_id).await?;

    let mut secrets = vec![typed, said, code, verifier.to_owned(), password("ken")];
    for tokens in [&tokens, &renewed] {
        let signature = |token: &str| token.rsplit('.').next().unwrap_or_default().to_owned();
        secrets.extend([signature(tokens.access.expose()), signature(tokens.id.expose())]);
        let refresh = tokens.refresh.as_ref().context("offline_access was asked for")?;
        secrets.push(refresh.expose_secret().to_owned());
    }
    let endpoints = stack.endpoints();
    secrets.extend(endpoints.demo_users.iter().map(|user| user.password.clone()));
    secrets.push(endpoints.email_user.password.clone());
    for file in fs::read_dir(stack.state().join("secrets"))? {
        secrets.push(fs::read_to_string(file?.path())?);
    }
    let mut logs = Vec::new();
    for file in fs::read_dir(stack.state().join("log"))? {
        let path = file?.path();
        logs.push((fs::read_to_string(&path)?, path));
    }
    for part in stack.parts() {
        assert!(fs::metadata(part.log())?.len() > 0, "{} logs nothing", part.name());
    }
    let successes = |(log, _): &&(String, _)| log.contains("login successful");
    assert_eq!(logs.iter().filter(successes).count(), 1, "Dex's log is among them");
    for (log, path) in &logs {
        for secret in &secrets {
            let line = log.lines().find(|line| line.contains(secret.as_str()));
            assert_eq!(line, None, "a secret is in {}", path.display());
        }
    }
    Ok(())
}
