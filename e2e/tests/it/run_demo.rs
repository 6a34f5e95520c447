//! The demo as people run it.

use anyhow::{Context as _, Result, ensure};
use devstack::stack::StackOptions;
use e2e::oidc::LOCAL_ACCOUNTS;
use e2e::wait::{until, within};
use tokio::process::Command;

use crate::stage::Stage;

/// The demo's exit, and all it wrote.
async fn demo(stage: &Stage) -> Result<(bool, String)> {
    let endpoints = stage.stack.state().join("endpoints.json");
    stage.stack.endpoints().write(&endpoints)?;
    let demo = Command::new(env!("CARGO_BIN_EXE_demo")).arg(&endpoints).output();
    let output = within("the demo", async { demo.await.context("it cannot be started") }).await?;
    let text = [output.stdout, output.stderr].concat();
    Ok((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
}

#[tokio::test]
async fn the_demo_passes_and_again_after_each_part_was_killed_and_started() -> Result<()> {
    let stage = Stage::open_apart().await?;
    let (passed, text) = demo(&stage).await?;
    assert!(passed, "{text}");
    for shown in ["\"preferred_username\": \"alice\"", "\"status\": \"enqueued\"", "p99"] {
        assert!(text.contains(shown), "{shown:?} is missing in {text}");
    }
    assert!(!text.contains("eyJ"), "a token is shown in {text}");

    for part in stage.stack.parts() {
        part.kill().await;
        part.start().await?;
        // Dex tries its connection to the connector again within 2 s, and says 500 until then.
        let alice = &stage.stack.endpoints().demo_users[0];
        let sign_in =
            async || stage.app.sign_in(LOCAL_ACCOUNTS, &alice.login, &alice.password).await;
        until(&format!("sign-in after {} came back", part.name()), sign_in).await?;
        let (passed, text) = demo(&stage).await?;
        ensure!(passed, "after {} was killed and started: {text}", part.name());
    }
    Ok(())
}

#[tokio::test]
async fn the_demo_of_rooms_shows_each_person_what_they_may_see_and_no_more() -> Result<()> {
    let stage = Stage::open(StackOptions::test(2)?).await?;
    let endpoints = stage.stack.state().join("endpoints.json");
    stage.stack.endpoints().write(&endpoints)?;
    let demo = Command::new(env!("CARGO_BIN_EXE_demo")).arg("rooms").arg(&endpoints).output();
    let output = within("the demo", async { demo.await.context("it cannot be started") }).await?;
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success(), "{text}");
    for shown in ["clara  sees  Alice", "has removed clara", "clara  sees  –", "Eight it is."] {
        assert!(text.contains(shown), "{shown:?} is missing in {text}");
    }
    let [before, behind] = ["I would rather", "Eight it is."].map(|said| text.find(said));
    assert!(before < behind && behind.is_some(), "{text}");
    let behind = &text[behind.unwrap_or_default()..];
    assert!(!behind.contains("clara  sees  A") && !behind.contains("clara  sees  B"), "{text}");
    Ok(())
}

#[tokio::test]
async fn the_demo_fails_loudly_and_names_the_step() -> Result<()> {
    let stage = Stage::open(StackOptions::test(1)?).await?;
    stage.stack.part("connector")?.stop().await;
    let (passed, text) = demo(&stage).await?;
    assert!(!passed, "{text}");
    let named = "failed step: alice signs in on Dex's page, Local Accounts (code + PKCE)";
    assert!(text.contains(named), "{text}");
    assert!(text.contains("500 Internal Server Error"), "{text}");
    Ok(())
}
