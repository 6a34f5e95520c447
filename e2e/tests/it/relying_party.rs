//! A relying party that is not ours: `e2e/relying-party`, on npm's `openid-client`.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use devstack::endpoints::{CLIENT_ID, SCOPES};
use e2e::oidc::LOCAL_ACCOUNTS;
use e2e::wait::within;
use serde_json::json;
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::process::Command;

use crate::npm::{folder, install, step};
use crate::stage::{Stage, password};

const PROGRAM: &str = "relying-party";

#[tokio::test]
async fn a_strict_foreign_relying_party_completes_the_whole_protocol() -> Result<()> {
    let stage = Stage::shared().await?;
    within("npm ci", install(PROGRAM)).await?;
    let mut party = Command::new("node")
        .arg(folder(PROGRAM).join("relying-party.js"))
        .env("ISSUER", &stage.stack.endpoints().dex_issuer)
        .env("CLIENT_ID", CLIENT_ID)
        .env("REDIRECT_URI", &stage.app.redirect_uri)
        .env("SCOPE", format!("{SCOPES} groups"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("node cannot be started")?;
    let mut input = party.stdin.take().context("it has an input")?;
    let mut lines = BufReader::new(party.stdout.take().context("it has an output")?).lines();

    within("the relying party", async {
        let request = step(&mut lines, "request").await?;
        let url = request["url"].as_str().context("an address")?.parse()?;
        let browser = stage.app.browser()?;
        let seen = browser.sign_in(&url, LOCAL_ACCOUNTS, "laura", &password("laura")).await?;
        input.write_all(format!("{}\n", seen.callback()?).as_bytes()).await?;

        let tokens = step(&mut lines, "tokens").await?;
        assert_eq!(tokens["aud"], json!(["chat-api", CLIENT_ID]));
        assert_eq!(tokens["refreshable"], true);
        let person = step(&mut lines, "userinfo").await?;
        assert_eq!(person["email"], "laura@example.com");
        assert_eq!(person["groups"], json!(["staff"]));
        let refreshed = step(&mut lines, "refreshed").await?;
        assert_eq!(refreshed["email"], "laura@example.com");
        for step in [&person, &refreshed] {
            assert_eq!(step["sub"], tokens["sub"]);
        }
        ensure!(party.wait().await?.success(), "it ended badly");
        Ok(())
    })
    .await
}
