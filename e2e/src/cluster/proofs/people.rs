//! People at their browsers.

use std::net::Ipv4Addr;

use anyhow::{Context as _, Result, ensure};
use devstack::cluster::Door;
use devstack::endpoints::DemoUser;
use devstack::part::probe;
use reqwest::StatusCode;
use secrecy::ExposeSecret as _;
use serde_json::json;

use crate::accounts::{Script, code};
use crate::chat::Chat;
use crate::cluster::kube::{self, kubectl};
use crate::cluster::stage::Stage;
use crate::oidc::{App, EMAIL, LOCAL_ACCOUNTS};
use crate::wait::until;

/// The first person of the demo signs in, says something and hears it. Gives the subject.
async fn chats(stage: &Stage, chat: &str) -> Result<String> {
    let endpoints = &stage.scene.endpoints;
    let DemoUser { login, password } = endpoints.demo_users.first().context("there are people")?;
    let app = App::spa(endpoints).await?;
    let tokens = app.sign_in(LOCAL_ACCOUNTS, login, password).await?;
    says(&Chat::new(chat, &tokens.access)?).await?;
    Ok(tokens.access.claims()?["sub"].as_str().context("a token has a subject")?.to_owned())
}

async fn says(chat: &Chat) -> Result<()> {
    let mut listener = chat.listen().await?;
    let accepted = chat.post("said in a cluster").await?;
    listener.event(|event| event.message_id() == accepted.message_id).await.map(drop)
}

/// Where Dex's own address is, a port-forward listens instead of the entry.
pub(super) async fn port_forward(stage: &mut Stage) -> Result<()> {
    let issuer: url::Url = stage.scene.endpoints.dex_issuer.parse()?;
    let dex = issuer.port().context("the issuer has a port")?;
    let chat = devstack::ports::free()?;
    stage.dex = None;
    forwarded(stage, dex, chat).await?;
    stage.dex = Some(stage.cluster.open(Door::Dex).await?);
    Ok(())
}

async fn forwarded(stage: &Stage, dex: u16, chat: u16) -> Result<()> {
    let forward = async |name: &str, port: u16, to: u16| {
        let args = [
            "--namespace",
            "chatapp",
            "port-forward",
            &format!("service/{name}"),
            &format!("{port}:{to}"),
        ];
        let ready = probe(move || async move {
            tokio::net::TcpStream::connect(("127.0.0.1", port)).await?;
            Ok(())
        });
        stage.cluster.keep_kubectl(&format!("forward-{name}"), args, ready).await
    };
    let ways = [forward("dex", dex, 5556).await?, forward("chat-api", chat, 8080).await?];
    chats(stage, &format!("http://localhost:{chat}")).await?;
    for way in ways {
        // Whoever listens there next waits for nobody.
        way.kill().await;
    }
    Ok(())
}

/// Who signs up, and from where: the ticket that opens Dex's login is good from there alone.
const NEWCOMER: &str = "newcomer@example.com";
const HOME: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);

/// From Dex's login by the accounts pages and a mail back to that login, and into the chat.
pub(super) async fn sign_up(stage: &mut Stage) -> Result<()> {
    let endpoints = &stage.scene.endpoints;
    let pages = endpoints.accounts.as_deref().context("there are accounts pages")?;
    let inbox = endpoints.mail.as_deref().context("there is an inbox")?;
    let app = App::spa(endpoints).await?;
    let (browser, request) = (app.browser_at(HOME)?, app.request());
    let form = browser.login_form(&request.url, LOCAL_ACCOUNTS).await?;
    let page = browser.click(&form, "Create account").await?.page()?;
    ensure!(page.status == StatusCode::OK, "the page that Dex leads to is {}", page.status);
    let login = form.address().query_pairs().find(|(name, _)| name == "state");
    let hand_back = format!("state={}", login.context("the form names a login")?.1);

    let mut script = Script::new(pages)?.at_home(HOME);
    let flow = json!({"purpose": "sign_up", "email": NEWCOMER, "hand_back": hand_back});
    script.call("flows", flow).await?;
    let code = code(inbox, NEWCOMER, 1).await?;
    script.call("flows/confirm", json!({"code": code})).await?;
    let account = json!({"full_name": "New Comer", "password": "a cluster of one node"});
    let made = script.call("sign-up", account).await?;
    let ticket = made["hand_over"]["ticket"].as_str().context("a ticket")?;

    let callback = browser.submit(&form, &[("login", NEWCOMER), ("password", ticket)]).await?;
    let code = request.code(&callback.callback()?)?;
    let answer = app.exchange(&code, request.verifier.expose_secret()).await?;
    let tokens = answer.map_err(crate::oidc::Refusal::into_error)?;
    let claims = tokens.id.claims()?;
    ensure!(
        claims["email"] == NEWCOMER && claims["email_verified"] == true,
        "the token tells of {} with {}",
        claims["email"],
        claims["email_verified"]
    );
    says(&Chat::new(&endpoints.chat_api, &tokens.access)?).await
}

pub(super) async fn gate(stage: &mut Stage) -> Result<()> {
    let chat_api = stage.scene.endpoints.chat_api.clone();
    let before = chats(stage, &chat_api).await?;
    stage.upgrade(&json!({"localAccounts": {"enabled": false}})).await?;
    is_closed(stage).await?;
    stage.upgrade(&json!({})).await?;
    // Its Service was another one before.
    stage.accounts = None;
    stage.accounts = Some(stage.cluster.open(Door::Accounts).await?);
    pages_answer(stage).await?;
    let after = chats(stage, &chat_api).await?;
    ensure!(before == after, "the subject was {before} and is {after}");
    Ok(())
}

async fn pages_answer(stage: &Stage) -> Result<()> {
    let pages = stage.scene.endpoints.accounts.as_deref().context("there are accounts pages")?;
    let page = format!("{pages}/sign-up");
    until("the accounts pages are back", async || {
        stage.scene.http.get(&page).send().await?.error_for_status()?;
        Ok(())
    })
    .await
}

async fn is_closed(stage: &Stage) -> Result<()> {
    let endpoints = &stage.scene.endpoints;
    let app = App::spa(endpoints).await?;
    let page = app.browser()?.open(&app.request().url).await?.page()?;
    ensure!(page.links() == ["Log in with Email"], "the page offers {:?}", page.links());
    let found = kube::list(&stage.cluster, "deployments,services,configmaps,cronjobs").await?;
    let of_connector = |name: &&str| name.starts_with("auth-connector") || *name == "accounts";
    let of_connector: Vec<&str> = found.iter().map(kube::name).filter(of_connector).collect();
    ensure!(of_connector.is_empty(), "{of_connector:?} are still there");
    let ways = kubectl(&stage.cluster, &["get", "ingress", "--output=json"]).await?;
    ensure!(ways.contains("/v1") && !ways.contains("/accounts"), "the Ingress is {ways}");
    let DemoUser { login, password } = &endpoints.email_user;
    let tokens = app.sign_in(EMAIL, login, password).await?;
    says(&Chat::new(&endpoints.chat_api, &tokens.access)?).await
}
