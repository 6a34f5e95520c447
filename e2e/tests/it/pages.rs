//! The sign-in pages as a real browser shows them.

use std::path::Path;

use anyhow::{Context as _, Result, ensure};
use devstack::stack::{Stack, StackOptions};
use e2e::oidc::{App, LOCAL_ACCOUNTS, Refusal, Request};
use e2e::wait::{until, within};
use e2e::webdriver::Chromium;
use fantoccini::Locator;
use secrecy::ExposeSecret as _;
use serde_json::Value;

use crate::stage::{Stage, password};

/// A telephone, and a desk.
const WIDTHS: [u32; 2] = [360, 1280];

/// The key codes of `WebDriver`, section 17.4.2.
const TAB: &str = "\u{e004}";
const ENTER: &str = "\u{e007}";

/// A browser at the form of Local Accounts, and the request that led there.
async fn at_the_form(app: &App, state: &Path, width: u32) -> Result<(Chromium, Request)> {
    let (browser, request) = (Chromium::open(state, width).await?, app.request());
    let page = browser.client();
    page.goto(request.url.as_str()).await?;
    let choice = format!("Log in with {LOCAL_ACCOUNTS}");
    page.find(Locator::LinkText(&choice)).await?.click().await?;
    page.find(Locator::Css("#password")).await.context("no form")?;
    Ok((browser, request))
}

/// Types into the form and sends it by its button.
async fn sign_in(browser: &Chromium, login: &str, password: &str) -> Result<()> {
    let page = browser.client();
    for (field, typed) in [("#login", login), ("#password", password)] {
        let field = page.find(Locator::Css(field)).await?;
        field.clear().await?;
        field.send_keys(typed).await?;
    }
    page.find(Locator::Css("#submit-login")).await?.click().await.map_err(Into::into)
}

/// Waits until the browser is at the app's callback, where nobody serves, and has the tokens for its code.
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

/// Waits until the form says that the attempt was refused.
async fn refused(browser: &Chromium) -> Result<()> {
    until("the error", async || {
        let error = browser.client().find(Locator::Css("#login-error[role=alert]")).await?;
        ensure!(error.is_displayed().await?, "it is hidden");
        Ok(())
    })
    .await
}

async fn text(browser: &Chromium, selector: &str) -> Result<String> {
    let element = browser.client().find(Locator::Css(selector)).await;
    element.with_context(|| format!("no {selector}"))?.text().await.map_err(Into::into)
}

#[tokio::test]
async fn the_choice_shows_local_accounts_beside_email() -> Result<()> {
    let stage = Stage::shared().await?;
    within("the choice", async {
        let browser = Chromium::open(stage.stack.state(), WIDTHS[0]).await?;
        browser.client().goto(stage.app.request().url.as_str()).await?;
        let mut offers = Vec::new();
        for offer in browser.client().find_all(Locator::Css("a")).await? {
            ensure!(offer.is_displayed().await?, "it is hidden");
            offers.push(offer.text().await?);
        }
        assert_eq!(offers, ["Log in with Email", "Log in with Local Accounts"]);
        assert_eq!(browser.status().await?, 200);
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_right_password_leads_back_to_the_app() -> Result<()> {
    let stage = Stage::shared().await?;
    within("signing in", async {
        let (browser, request) = at_the_form(&stage.app, stage.stack.state(), WIDTHS[1]).await?;
        sign_in(&browser, "mia", &password("mia")).await?;
        arrives(&browser, &stage.app, &request).await
    })
    .await
}

#[tokio::test]
async fn a_wrong_password_shows_the_form_again_ready_for_the_next_try() -> Result<()> {
    let stage = Stage::shared().await?;
    within("trying again", async {
        let (browser, request) = at_the_form(&stage.app, stage.stack.state(), WIDTHS[0]).await?;
        assert!(
            browser.client().find(Locator::Css("#login-hint")).await.is_err(),
            "a hint too early"
        );
        sign_in(&browser, "nina", "nina sings in the shower").await?;
        refused(&browser).await?;

        assert_eq!(browser.status().await?, 401);
        let error = text(&browser, "#login-error").await?;
        assert_eq!(error, "Invalid Username or e-mail and password.");
        let hint = text(&browser, "#login-hint").await?;
        for cause in ["typing mistakes", "failed attempts", "disabled"] {
            assert!(hint.contains(cause), "{hint}");
        }
        let typed: [String; 2] = browser
            .eval("['login', 'password'].map(id => document.getElementById(id).value)")
            .await?;
        assert_eq!(typed, ["nina", ""]);
        until("the focus is on the password", async || {
            let id: String = browser.eval("document.activeElement.id").await?;
            ensure!(id == "password", "it is on {id:?}");
            Ok(())
        })
        .await?;

        browser.press(&format!("{}{ENTER}", password("nina"))).await?;
        arrives(&browser, &stage.app, &request).await
    })
    .await
}

#[tokio::test]
async fn the_keyboard_alone_signs_in() -> Result<()> {
    let stage = Stage::shared().await?;
    within("signing in by keys", async {
        let (browser, request) =
            (Chromium::open(stage.stack.state(), WIDTHS[1]).await?, stage.app.request());
        browser.client().goto(request.url.as_str()).await?;
        until("the choice has the focus", async || {
            browser.press(TAB).await?;
            let focus: String = browser.eval("document.activeElement.innerText").await?;
            ensure!(focus.ends_with(LOCAL_ACCOUNTS), "it is on {focus:?}");
            Ok(())
        })
        .await?;
        browser.press(ENTER).await?;
        until("the name has the focus", async || {
            let id: String = browser.eval("document.activeElement.id").await?;
            ensure!(id == "login", "it is on {id:?}");
            Ok(())
        })
        .await?;
        browser.press(&format!("oscar{TAB}{}{ENTER}", password("oscar"))).await?;
        arrives(&browser, &stage.app, &request).await
    })
    .await
}

#[tokio::test]
async fn an_outage_shows_an_error_page_that_tells_nothing_of_the_inside() -> Result<()> {
    let stack = Box::pin(Stack::launch(StackOptions::test(1)?)).await?;
    let app = App::spa(stack.endpoints()).await?;
    within("an outage", async {
        let (browser, request) = at_the_form(&app, stack.state(), WIDTHS[0]).await?;
        stack.part("connector")?.stop().await;
        let alice = &stack.endpoints().demo_users[0];
        sign_in(&browser, &alice.login, &alice.password).await?;
        // The form stands there until the answer comes.
        let page = until("the error page", async || {
            let page = text(&browser, ".theme-panel").await?;
            anyhow::ensure!(!page.starts_with("Log in"), "still the form");
            Ok(page)
        })
        .await?;
        assert_eq!(browser.status().await?, 500);
        assert_eq!(page, "Internal Server Error\nLogin error. Please contact your administrator or try again later.\nBack to the app");
        // The way back is one that the app understands.
        browser.client().find(Locator::Css("#back")).await?.click().await?;
        let callback = until("the app", async || {
            let url = browser.client().current_url().await?;
            ensure!(url.as_str().starts_with(&app.redirect_uri), "at {}", url.path());
            Ok(url)
        })
        .await?;
        let error = request.code(&callback).expect_err("nobody signed in").to_string();
        assert!(error.contains("access_denied"), "{error}");
        Ok(())
    })
    .await
}

#[tokio::test]
async fn the_pages_run_their_own_script_and_no_other() -> Result<()> {
    let stage = Stage::shared().await?;
    within("a look at the policy", async {
        let (browser, _) = at_the_form(&stage.app, stage.stack.state(), WIDTHS[0]).await?;
        // The form's own: the button is off once the form is sent.
        let sent = "(() => { const form = document.getElementById('login-form');
            form.dispatchEvent(new Event('submit'));
            return document.getElementById('submit-login').disabled; })()";
        assert!(browser.eval::<bool>(sent).await?, "the page's script does not run");
        let injected = "(() => { const script = document.createElement('script');
            script.textContent = 'window.injected = true';
            document.body.append(script);
            document.body.insertAdjacentHTML('beforeend', '<p id=styled style=\"color: rgb(1, 2, 3)\">');
            return [window.injected === true,
                getComputedStyle(document.getElementById('styled')).color === 'rgb(1, 2, 3)']; })()";
        assert_eq!(browser.eval::<[bool; 2]>(injected).await?, [false, false], "what is injected");
        Ok(())
    })
    .await
}

/// What the page breaks, as a list of sentences. `WCAG` 2.2: names of fields and images (1.1.1, 4.1.2), contrast
/// (1.4.3, 1.4.11), language (3.1.1), visible focus (2.4.7), reflow (1.4.10); and that all comes from Dex's origin.
const FAULTS: &str = include_str!("pages_faults.js");

#[tokio::test]
async fn the_pages_are_accessible_in_light_and_dark_on_a_telephone_and_a_desk() -> Result<()> {
    let stage = Stage::shared().await?;
    let themes = devstack::checkout::root().join("dex/vendor/github.com/dexidp/dex/web/themes");
    let dark = std::fs::read_to_string(themes.join("dark/styles.css"))?;
    for width in WIDTHS {
        within("a look at the pages", async {
            let browser = Chromium::open(stage.stack.state(), width).await?;
            browser.client().goto(stage.app.request().url.as_str()).await?;
            assert_sound(&browser, "choice", width, &dark).await?;
            let (browser, _) = at_the_form(&stage.app, stage.stack.state(), width).await?;
            assert_sound(&browser, "form", width, &dark).await?;
            sign_in(&browser, "nobody", "is nobody's password").await?;
            refused(&browser).await?;
            assert_sound(&browser, "refused", width, &dark).await
        })
        .await?;
    }
    Ok(())
}

/// The page has no faults as it is, and in Dex's dark theme.
async fn assert_sound(browser: &Chromium, name: &str, width: u32, dark: &str) -> Result<()> {
    for theme in ["light", "dark"] {
        if theme == "dark" {
            // Dex serves one theme, by its configuration; the other is the same page with this file instead.
            // A style sheet of a script's making is none that the pages' policy forbids.
            let swap = "const style = new CSSStyleSheet();
                style.replaceSync(arguments[0]);
                document.querySelector('link[href*=\"theme/styles.css\"]').remove();
                document.adoptedStyleSheets = [style];";
            browser.client().execute(swap, vec![Value::from(dark)]).await?;
        }
        let faults: Vec<String> = browser.eval(FAULTS).await?;
        assert_eq!(faults, Vec::<String>::new(), "{name}, {theme}, {width} pixels wide");
    }
    Ok(())
}
