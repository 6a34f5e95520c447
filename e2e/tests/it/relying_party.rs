//! A relying party that is not ours: `e2e/relying-party`, on npm's `openid-client`.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use devstack::endpoints::{CLIENT_ID, SCOPES};
use e2e::oidc::LOCAL_ACCOUNTS;
use e2e::wait::within;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{ChildStdout, Command};

use crate::stage::{Stage, password};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("relying-party")
}

/// Runs `npm ci` unless that was done for this very lock file; one run at a time.
async fn install() -> Result<()> {
    let folder = folder();
    let locked = fs::read(folder.join("package-lock.json"))?;
    let made_from = folder.join("node_modules/.made-from");
    let lock = File::create(Path::new(env!("CARGO_TARGET_TMPDIR")).join("npm.lock"))?;
    let _one_at_a_time = tokio::task::spawn_blocking(move || lock.lock().map(|()| lock)).await??;
    if fs::read(&made_from).is_ok_and(|known| known == locked) {
        return Ok(());
    }
    let npm = Command::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .current_dir(&folder)
        .output()
        .await
        .context("npm cannot be started")?;
    ensure!(npm.status.success(), "npm ci: {}", String::from_utf8_lossy(&npm.stderr));
    Ok(fs::write(made_from, locked)?)
}

/// The facts of the next step, which must be this one.
async fn step(lines: &mut Lines<BufReader<ChildStdout>>, name: &str) -> Result<Value> {
    let line = lines.next_line().await?.with_context(|| format!("it ended before {name:?}"))?;
    let facts: Value = serde_json::from_str(&line)?;
    ensure!(facts["step"] == name, "{facts} instead of {name:?}");
    Ok(facts)
}

#[tokio::test]
async fn a_strict_foreign_relying_party_completes_the_whole_protocol() -> Result<()> {
    let stage = Stage::shared().await?;
    within("npm ci", install()).await?;
    let mut party = Command::new("node")
        .arg(folder().join("relying-party.js"))
        .env("ISSUER", &stage.stack.endpoints().dex_issuer)
        .env("CLIENT_ID", CLIENT_ID)
        .env("REDIRECT_URI", &stage.app.redirect_uri)
        .env("SCOPE", SCOPES)
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
