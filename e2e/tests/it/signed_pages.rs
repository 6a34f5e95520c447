//! The pages of who is signed in, with the real Dex and in a real browser.

use anyhow::{Context as _, Result, ensure};
use devstack::stack::Stack;
use e2e::oidc::LOCAL_ACCOUNTS;
use e2e::wait::until;
use e2e::webdriver::Chromium;
use fantoccini::Locator;

use crate::accounts_pages::{WIDTHS, assert_sound, code, fill, send, shows, stage, told};

const NEW: &str = "a walk along the wide river";

/// The address of a page.
fn page(stack: &Stack, name: &str) -> Result<String> {
    let accounts = stack.endpoints().accounts.as_ref().context("there are accounts pages")?;
    Ok(format!("{accounts}/{name}"))
}

/// Opens a page, which leads to Dex, and signs in there by one of its ways.
async fn sign_in(
    browser: &Chromium,
    address: &str,
    way: &str,
    (login, password): (&str, &str),
) -> Result<()> {
    browser.client().goto(address).await?;
    at_dex(browser, way, (login, password)).await
}

async fn at_dex(browser: &Chromium, way: &str, (login, password): (&str, &str)) -> Result<()> {
    let choice = format!("Log in with {way}");
    until("Dex's choice", async || {
        browser.client().find(Locator::LinkText(&choice)).await?.click().await.map_err(Into::into)
    })
    .await?;
    shows(browser, "#login").await?;
    fill(browser, &[("#login", login), ("#password", password)]).await?;
    browser.client().find(Locator::Css("#submit-login")).await?.click().await.map_err(Into::into)
}

/// Waits until the browser is at an address.
async fn at(browser: &Chromium, address: &str) -> Result<()> {
    until(address, async || {
        let url = browser.client().current_url().await?;
        ensure!(url.as_str() == address, "at {url}");
        Ok(())
    })
    .await
}

async fn follow(browser: &Chromium, text: &str) -> Result<()> {
    let link = browser.client().find(Locator::LinkText(text)).await?;
    link.click().await.map_err(Into::into)
}

async fn text(browser: &Chromium) -> Result<String> {
    let main = browser.client().find(Locator::Css("main")).await?;
    main.text().await.map_err(Into::into)
}

#[tokio::test]
async fn people_who_sign_in_at_dex_see_to_their_account() -> Result<()> {
    let (stack, _) = stage().await?;
    let alice = stack.endpoints().demo_users.first().context("Alice is there")?;
    let (login, password) = (alice.login.as_str(), alice.password.as_str());
    for (width, page_names) in [
        (WIDTHS[0], ["Profile", "Password", "E-mail address", "Activity", "Close the account"]),
        (WIDTHS[1], ["Close the account", "Activity", "E-mail address", "Password", "Profile"]),
    ] {
        let browser = Chromium::open(stack.state(), width).await?;
        let activity = page(&stack, "activity")?;
        sign_in(&browser, &activity, LOCAL_ACCOUNTS, (login, password)).await?;
        at(&browser, &activity).await?;
        for name in page_names {
            follow(&browser, name).await?;
            told(&browser, name).await?;
        }
    }

    let browser = Chromium::open(stack.state(), WIDTHS[0]).await?;
    let profile = page(&stack, "profile")?;
    sign_in(&browser, &profile, LOCAL_ACCOUNTS, (login, password)).await?;
    at(&browser, &profile).await?;
    for (phone, shown) in [("030 12345678", "#fault"), ("+493012345678", ".note")] {
        fill(&browser, &[("#full_name", "Alice Arnold-Brown"), ("#phone", phone)]).await?;
        send(&browser).await?;
        shows(&browser, shown).await?;
        assert_sound(&browser, shown).await?;
    }

    follow(&browser, "Activity").await?;
    told(&browser, "Activity").await?;
    let seen = text(&browser).await?;
    ensure!(seen.contains("The right password was given"), "{seen}");

    follow(&browser, "Password").await?;
    told(&browser, "Password").await?;
    for (current, shown) in [("not the password", "#fault"), (password, "h1")] {
        fill(&browser, &[("#current", current), ("#password", NEW)]).await?;
        send(&browser).await?;
        shows(&browser, shown).await?;
    }
    told(&browser, "Your password is changed").await?;
    follow(&browser, "Sign in").await?;
    at_dex(&browser, LOCAL_ACCOUNTS, (login, NEW)).await?;
    at(&browser, &profile).await?;

    follow(&browser, "Close the account").await?;
    told(&browser, "Close the account").await?;
    fill(&browser, &[("#password", NEW)]).await?;
    send(&browser).await?;
    told(&browser, "Your account is closed").await?;
    sign_in(&browser, &profile, LOCAL_ACCOUNTS, (login, NEW)).await?;
    shows(&browser, "#login-error").await
}

#[tokio::test]
async fn another_address_is_proved_by_a_code_and_the_one_before_comes_back() -> Result<()> {
    let (stack, _) = stage().await?;
    let bob = stack.endpoints().demo_users.get(1).context("Bob is there")?;
    let browser = Chromium::open(stack.state(), WIDTHS[0]).await?;
    let email = page(&stack, "email")?;
    sign_in(&browser, &email, LOCAL_ACCOUNTS, (&bob.login, &bob.password)).await?;
    at(&browser, &email).await?;
    fill(&browser, &[("#email", "bob@new.example"), ("#password", &bob.password)]).await?;
    send(&browser).await?;
    shows(&browser, "#code").await?;
    assert_sound(&browser, "the page that asks for the code").await?;
    fill(&browser, &[("#code", &code(&stack, "bob@new.example", 1).await?)]).await?;
    send(&browser).await?;
    told(&browser, "Your address is changed").await?;

    let undo = until("the code that undoes it", async || {
        let mails = stack.mail()?.mails().await?;
        let mut lines = mails.iter().flat_map(|mail| mail.text.lines());
        let code = lines.find(|line| line.len() > 25 && line.contains('-') && !line.contains(' '));
        code.map(str::to_owned).context("it is not there yet")
    })
    .await?;
    browser.client().goto(&page(&stack, "undo")?).await?;
    assert_sound(&browser, "the page that brings an address back").await?;
    fill(&browser, &[("#code", &undo)]).await?;
    send(&browser).await?;
    told(&browser, "Your address is back").await
}

#[tokio::test]
async fn who_comes_from_another_directory_is_told_that_there_is_nothing_to_see_to() -> Result<()> {
    let (stack, _) = stage().await?;
    let admin = &stack.endpoints().email_user;
    let browser = Chromium::open(stack.state(), WIDTHS[0]).await?;
    let profile = page(&stack, "profile")?;
    sign_in(&browser, &profile, "Email", (&admin.login, &admin.password)).await?;
    told(&browser, "That did not work").await?;
    assert_eq!(browser.status().await?, 401);
    let cookies = browser.client().get_all_cookies().await?;
    assert!(cookies.iter().all(|cookie| cookie.name() != "__Host-Http-accounts"));
    Ok(())
}

#[tokio::test]
async fn who_signs_out_has_to_sign_in_again() -> Result<()> {
    let (stack, _) = stage().await?;
    let alice = stack.endpoints().demo_users.first().context("Alice is there")?;
    let browser = Chromium::open(stack.state(), WIDTHS[1]).await?;
    let profile = page(&stack, "profile")?;
    sign_in(&browser, &profile, LOCAL_ACCOUNTS, (&alice.login, &alice.password)).await?;
    at(&browser, &profile).await?;
    // Scripts see none of it.
    assert_eq!(browser.eval::<String>("document.cookie").await?, "");
    browser.client().find(Locator::Css("form.end button")).await?.click().await?;
    told(&browser, "You are signed out").await?;
    browser.client().goto(&profile).await?;
    shows(&browser, ".dex-btn, a").await?;
    ensure!(browser.client().current_url().await?.path().starts_with("/dex"), "at Dex");
    Ok(())
}
