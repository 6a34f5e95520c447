//! The accounts pages as a real browser shows them: from Dex's form by way of a mailed code back to the app.

use anyhow::{Context as _, Result, ensure};
use devstack::stack::{Stack, StackOptions};
use e2e::oidc::{App, LOCAL_ACCOUNTS, Refusal, Request};
use e2e::wait::until;
use e2e::webdriver::Chromium;
use fantoccini::Locator;
use fantoccini::actions::{InputSource as _, MOUSE_BUTTON_LEFT, MouseActions, PointerAction};
use secrecy::ExposeSecret as _;

/// A telephone, and a desk.
pub(crate) const WIDTHS: [u32; 2] = [360, 1280];

/// What a page breaks: see `pages.rs`.
const FAULTS: &str = include_str!("pages_faults.js");

/// The colours of who prefers dark ones, for everybody.
const DARKEN: &str = "for (const rule of document.styleSheets[0].cssRules) {
    if (rule.media?.mediaText.includes('dark')) rule.media.mediaText = 'all';
}";

pub(crate) const ADA: &str = "ada@example.com";
pub(crate) const FIRST: &str = "an engine that weaves";
const SECOND: &str = "a loom of brass and numbers";

/// A stack with mail, and an app of which nothing is served.
pub(crate) async fn stage() -> Result<(Stack, App)> {
    let mut options = StackOptions::test(1)?;
    options.mail = true;
    let stack = Box::pin(Stack::launch(options)).await?;
    let app = App::spa(stack.endpoints()).await?;
    Ok((stack, app))
}

/// A browser at Dex's form of Local Accounts, and the request that led there.
async fn at_the_form(stack: &Stack, app: &App, width: u32) -> Result<(Chromium, Request)> {
    let (browser, request) = (Chromium::open(stack.state(), width).await?, app.request());
    open_form(&browser, &request).await?;
    Ok((browser, request))
}

pub(crate) async fn open_form(browser: &Chromium, request: &Request) -> Result<()> {
    browser.client().goto(request.url.as_str()).await?;
    let choice = format!("Log in with {LOCAL_ACCOUNTS}");
    browser.client().find(Locator::LinkText(&choice)).await?.click().await?;
    shows(browser, "#login").await
}

/// Waits for a page with this element.
pub(crate) async fn shows(browser: &Chromium, selector: &str) -> Result<()> {
    until(selector, async || {
        browser.client().find(Locator::Css(selector)).await?;
        Ok(())
    })
    .await
}

/// Types into the fields of a page.
pub(crate) async fn fill(browser: &Chromium, fields: &[(&str, &str)]) -> Result<()> {
    for (field, typed) in fields {
        let field = browser.client().find(Locator::Css(field)).await?;
        field.clear().await?;
        field.send_keys(typed).await?;
    }
    Ok(())
}

/// Sends the first form of a page by its button.
pub(crate) async fn send(browser: &Chromium) -> Result<()> {
    let button = browser.client().find(Locator::Css("main form button")).await?;
    button.click().await.map_err(Into::into)
}

/// Presses the button of the first form twice, as some people do everywhere.
pub(crate) async fn send_twice(browser: &Chromium) -> Result<()> {
    let element = browser.client().find(Locator::Css("main form button")).await?;
    let (x, y) = (0., 0.);
    let press = PointerAction::Down { button: MOUSE_BUTTON_LEFT };
    let release = PointerAction::Up { button: MOUSE_BUTTON_LEFT };
    let twice = MouseActions::new("mouse".to_owned())
        .then(PointerAction::MoveToElement { element, duration: None, x, y })
        .then(press.clone())
        .then(release.clone())
        .then(press)
        .then(release);
    browser.client().perform_actions(twice).await.map_err(Into::into)
}

/// The page that is shown has no faults, in light colours and in dark ones.
pub(crate) async fn assert_sound(browser: &Chromium, name: &str) -> Result<()> {
    for colours in ["light", "dark"] {
        if colours == "dark" {
            browser.client().execute(DARKEN, Vec::new()).await?;
        }
        let faults: Vec<String> = browser.eval(FAULTS).await?;
        assert_eq!(faults, Vec::<String>::new(), "{name} in {colours} colours");
    }
    Ok(())
}

/// The `count`th code that was mailed to an address.
pub(crate) async fn code(stack: &Stack, email: &str, count: usize) -> Result<String> {
    let inbox = stack.endpoints().mail.as_deref().context("there is no inbox")?;
    e2e::accounts::code(inbox, email, count).await
}

/// From the page that asks for the address to the one that ends the flow; the `count`th one
/// mailed to it is the code. Each page
/// is looked at.
pub(crate) async fn prove(
    stack: &Stack,
    browser: &Chromium,
    email: &str,
    count: usize,
) -> Result<()> {
    shows(browser, "#email").await?;
    assert_sound(browser, "the page that asks for an address").await?;
    fill(browser, &[("#email", email)]).await?;
    send(browser).await?;
    shows(browser, "#code").await?;
    assert_sound(browser, "the page that asks for a code").await?;
    fill(browser, &[("#code", "0000-0000")]).await?;
    send(browser).await?;
    shows(browser, "#fault").await?;
    assert_sound(browser, "the page that says that it is not the code").await?;
    fill(browser, &[("#code", &code(stack, email, count).await?)]).await?;
    send_twice(browser).await?;
    shows(browser, "#username").await?;
    assert_sound(browser, "the page that ends a flow").await
}

/// Waits for the page that tells that something is done.
pub(crate) async fn told(browser: &Chromium, title: &str) -> Result<()> {
    until(title, async || {
        let heading = browser.client().find(Locator::Css("h1")).await?.text().await?;
        ensure!(heading == title, "the page is {heading:?}");
        Ok(())
    })
    .await?;
    assert_sound(browser, title).await
}

/// Waits until the browser is at the app, where nobody serves, and has tokens for its code.
async fn arrives(browser: &Chromium, app: &App, request: &Request) -> Result<()> {
    let callback = until("the callback", async || {
        let url = browser.client().current_url().await?;
        ensure!(url.as_str().starts_with(&app.redirect_uri), "at {}", url.path());
        Ok(url)
    })
    .await?;
    let code = request.code(&callback)?;
    let answer = app.exchange(&code, request.verifier.expose_secret()).await?;
    answer.map(drop).map_err(Refusal::into_error)
}

#[tokio::test]
async fn from_dex_s_form_people_sign_up_and_replace_a_password_and_are_signed_in_where_they_were()
-> Result<()> {
    let (stack, app) = stage().await?;
    let (browser, request) = at_the_form(&stack, &app, WIDTHS[0]).await?;
    browser.client().find(Locator::Css("#sign-up")).await?.click().await?;
    prove(&stack, &browser, ADA, 1).await?;
    fill(&browser, &[("#full_name", "Ada Lovelace"), ("#password", "too short")]).await?;
    send(&browser).await?;
    shows(&browser, "#fault").await?;
    assert_sound(&browser, "the page that does not take a password").await?;
    // Dex keeps the login that waits.
    stack.part("dex")?.restart().await?;
    fill(&browser, &[("#password", FIRST)]).await?;
    send(&browser).await?;
    arrives(&browser, &app, &request).await?;

    let (browser, request) = at_the_form(&stack, &app, WIDTHS[1]).await?;
    browser.client().find(Locator::Css("#reset")).await?.click().await?;
    prove(&stack, &browser, ADA, 2).await?;
    fill(&browser, &[("#password", SECOND)]).await?;
    send_twice(&browser).await?;
    arrives(&browser, &app, &request).await?;
    // What is over is told as well.
    browser.client().goto(&format!("{}/reset/finish", accounts(&stack)?)).await?;
    told(&browser, "That did not work").await
}

#[tokio::test]
async fn a_refused_person_is_led_to_a_code_that_opens_the_account_and_back_to_the_form()
-> Result<()> {
    let (stack, app) = stage().await?;
    let alice = &stack.endpoints().demo_users[0];
    let (browser, request) = at_the_form(&stack, &app, WIDTHS[0]).await?;
    fill(&browser, &[("#login", &alice.login), ("#password", "not the password")]).await?;
    browser.client().find(Locator::Css("#submit-login")).await?.click().await?;
    shows(&browser, "#unlock").await?;
    browser.client().find(Locator::Css("#unlock")).await?.click().await?;
    prove(&stack, &browser, "alice@example.com", 1).await?;
    send(&browser).await?;
    told(&browser, "Your account is open").await?;
    browser.client().find(Locator::Css("#hand-over")).await?.click().await?;
    shows(&browser, "#submit-login").await?;
    fill(&browser, &[("#login", &alice.login), ("#password", &alice.password)]).await?;
    browser.client().find(Locator::Css("#submit-login")).await?.click().await?;
    arrives(&browser, &app, &request).await
}

/// Where the accounts pages are.
pub(crate) fn accounts(stack: &Stack) -> Result<&str> {
    stack.endpoints().accounts.as_deref().context("there are no accounts pages")
}
