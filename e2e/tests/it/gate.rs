//! Local Accounts switched off.

use anyhow::Result;
use devstack::endpoints::DemoUser;
use devstack::stack::{Stack, StackOptions};
use e2e::chat::Chat;
use e2e::oidc::{App, EMAIL};

#[tokio::test]
async fn without_local_accounts_dex_offers_email_alone() -> Result<()> {
    let mut options = StackOptions::test(1)?;
    options.local_accounts = false;
    let stack = Stack::launch(options).await?;
    let endpoints = stack.endpoints();
    assert!(stack.part("connector").is_err(), "the connector runs");

    let app = App::spa(endpoints).await?;
    let page = app.browser()?.open(&app.request().url).await?.page()?;
    assert_eq!(page.links(), ["Log in with Email"]);

    let DemoUser { login, password } = &endpoints.email_user;
    let tokens = app.sign_in(EMAIL, login, password).await?;
    Chat::new(&endpoints.chat_api, &tokens.access)?.post("hello from Email").await.map(drop)
}
