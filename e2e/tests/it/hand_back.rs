//! From the app to an account and back: signed in where they began, or somewhere sensible.

use anyhow::{Context as _, Result, ensure};
use devstack::ports;
use devstack::stack::{Stack, StackOptions};
use e2e::accounts::Script;
use e2e::browser::Seen;
use e2e::oidc::{EMAIL, LOCAL_ACCOUNTS};
use e2e::wait::until;
use e2e::webdriver::Chromium;
use fantoccini::Locator;
use reqwest::StatusCode;
use serde_json::json;
use url::Url;

use crate::accounts_pages::{
    ADA, FIRST, WIDTHS, accounts, code, fill, prove, send, send_twice, shows, stage, told,
};

/// A stack with mail whose app is served.
async fn with_app() -> Result<Stack> {
    let mut options = StackOptions::test(1)?;
    (options.mail, options.app, options.ports.web) = (true, true, ports::free()?);
    Box::pin(Stack::launch(options)).await
}

/// A browser at the app.
async fn at_the_app(stack: &Stack) -> Result<Chromium> {
    let browser = Chromium::open(stack.state(), WIDTHS[1]).await?;
    let app = stack.endpoints().app.as_deref().context("there is no app")?;
    browser.client().goto(app).await?;
    Ok(browser)
}

async fn click(browser: &Chromium, selector: &str) -> Result<()> {
    // Until the app's script has run nothing can be done there.
    until(selector, async || {
        let button = browser.client().find(Locator::Css(selector)).await?;
        ensure!(button.is_displayed().await?, "it is hidden");
        button.click().await.map_err(Into::into)
    })
    .await
}

/// Waits until the app says this.
async fn says(browser: &Chromium, text: &str) -> Result<()> {
    until(text, async || {
        let said = browser.client().find(Locator::Css("#told")).await?.text().await?;
        ensure!(said.starts_with(text), "it says {said:?}");
        Ok(())
    })
    .await
}

/// Waits until somebody with this address is signed in at the app.
async fn signed_in(browser: &Chromium, email: &str) -> Result<()> {
    says(browser, "You are signed in.").await?;
    let told = browser.client().find(Locator::Css("#claim-email")).await?.text().await?;
    ensure!(told == email, "{told} is signed in");
    Ok(())
}

/// Names the account and chooses its password, on the page that makes it.
async fn name_it(browser: &Chromium) -> Result<()> {
    fill(browser, &[("#full_name", "Ada <b>Lovelace</b>"), ("#password", FIRST)]).await
}

#[tokio::test]
async fn from_the_app_people_sign_up_and_are_signed_in_there_whatever_they_press() -> Result<()> {
    let stack = with_app().await?;
    let browser = at_the_app(&stack).await?;
    click(&browser, "#sign-up").await?;
    prove(&stack, &browser, ADA, 1).await?;
    name_it(&browser).await?;
    send_twice(&browser).await?;
    signed_in(&browser, ADA).await?;
    let name = browser.client().find(Locator::Css("#claim-name")).await?.text().await?;
    assert_eq!(name, "Ada <b>Lovelace</b>", "it is shown as text");

    // Whoever goes back is told that it is done, and led to the app.
    browser.client().back().await?;
    browser.client().refresh().await?;
    told(&browser, "That did not work").await?;
    browser.client().find(Locator::LinkText("To the app")).await?.click().await?;
    says(&browser, "It has people sign in").await?;
    click(&browser, "#sign-in").await?;
    let choice = format!("Log in with {LOCAL_ACCOUNTS}");
    browser.client().find(Locator::LinkText(&choice)).await?.click().await?;
    shows(&browser, "#login").await?;
    fill(&browser, &[("#login", ADA), ("#password", FIRST)]).await?;
    click(&browser, "#submit-login").await?;
    signed_in(&browser, ADA).await
}

#[tokio::test]
async fn a_login_that_waits_no_longer_leads_to_the_app_s_start_and_one_of_somebody_else_s_to_nothing()
-> Result<()> {
    let stack = with_app().await?;
    let browser = at_the_app(&stack).await?;
    let unknown = format!("{}/sign-up?state={}", accounts(&stack)?, "a".repeat(25));
    browser.client().goto(&unknown).await?;
    prove(&stack, &browser, ADA, 1).await?;
    name_it(&browser).await?;
    send(&browser).await?;
    told(&browser, "Your account is ready").await?;
    browser.client().find(Locator::LinkText("To the app")).await?.click().await?;
    says(&browser, "It has people sign in").await?;

    // A login that was begun in one browser and is finished in another signs in nobody there.
    click(&browser, "#sign-in").await?;
    let choice = format!("Log in with {LOCAL_ACCOUNTS}");
    browser.client().find(Locator::LinkText(&choice)).await?.click().await?;
    shows(&browser, "#sign-up").await?;
    let link = browser.client().find(Locator::Css("#sign-up")).await?.attr("href").await?;
    let other = Chromium::open(stack.state(), WIDTHS[0]).await?;
    other.client().goto(&link.context("a link leads somewhere")?).await?;
    prove(&stack, &other, "bea@example.com", 1).await?;
    name_it(&other).await?;
    send(&other).await?;
    says(&other, "This sign-in was not begun in this tab.").await
}

#[tokio::test]
async fn a_ticket_is_good_once_at_our_connector_from_its_network_and_the_password_after_it()
-> Result<()> {
    let (stack, app) = stage().await?;
    let browser = app.browser()?;
    let request = app.request();
    let form = browser.login_form(&request.url, LOCAL_ACCOUNTS).await?;
    let state = form.address().query_pairs().find(|(name, _)| name == "state");
    let state = state.context("the form has a state")?.1.into_owned();

    let mut script = Script::new(accounts(&stack)?)?;
    let hand_back = format!("state={state}");
    let flow = json!({"purpose": "sign_up", "email": ADA, "hand_back": hand_back});
    script.call("flows", flow).await?;
    script.call("flows/confirm", json!({"code": code(&stack, ADA, 1).await?})).await?;
    let made = script.call("sign-up", json!({"full_name": "Ada", "password": FIRST})).await?;
    let at_dex = &made["hand_over"];
    assert_eq!(at_dex["login"], ADA);
    let address: Url = at_dex["form"].as_str().context("an address")?.parse()?;
    assert_eq!(address.path(), form.address().path());
    let ticket = at_dex["ticket"].as_str().context("a ticket")?;

    let typed = [("login", ADA), ("password", ticket)];
    let at_email = browser.login_form(&app.request().url, EMAIL).await?;
    let refused = browser.submit(&at_email, &typed).await?.page()?;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "another connector");
    let elsewhere = app.browser_at([203, 0, 113, 9].into())?;
    let refused = elsewhere.submit(&form, &typed).await?.page()?;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "another network");
    assert_eq!(refused.value("login").as_deref(), Some(ADA), "the name stands there");

    let callback = browser.submit(&form, &typed).await?.callback()?;
    request.code(&callback)?;
    let again = browser.login_form(&app.request().url, LOCAL_ACCOUNTS).await?;
    let refused = browser.submit(&again, &typed).await?.page()?;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED, "a second time");
    let opened = browser.submit(&refused, &[("login", ADA), ("password", FIRST)]).await?;
    assert!(matches!(opened, Seen::Callback(_)), "the password opens it");
    Ok(())
}
