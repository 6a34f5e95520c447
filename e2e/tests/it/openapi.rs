//! The REST interface against its own description: schemathesis sends what the document allows and what it forbids.

use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result};
use devstack::install::schemathesis_program;
use e2e::oidc::LOCAL_ACCOUNTS;

use crate::stage::{Stage, password};

#[tokio::test]
async fn the_rest_interface_is_as_its_document_says_whatever_is_sent() -> Result<()> {
    let stage = Stage::shared().await?;
    let rupert = stage.app.sign_in(LOCAL_ACCOUNTS, "rupert", &password("rupert")).await?;
    let base = format!("{}/v1", stage.stack.endpoints().chat_replicas[1]);
    let config = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemathesis.toml");
    let log = stage.stack.state().join("log/schemathesis.log");
    let outcome = schemathesis_program()
        .args(["--config-file".as_ref(), config.as_os_str()])
        .args(["run", &format!("{base}/openapi.json"), "--url", &base])
        .env("CHAT_TOKEN", rupert.access.expose())
        // Its notes of earlier runs would change what it sends.
        .dir(stage.stack.state())
        .run(&log)
        .await;
    // All of it: the last lines do not name every fault.
    outcome.with_context(|| fs::read_to_string(&log).unwrap_or_default())
}
