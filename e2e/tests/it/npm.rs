//! Programs on npm's packages, each in a folder with a lock file.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;
use tokio::io::{BufReader, Lines};
use tokio::process::{ChildStdout, Command};

/// The folder of a program, beside the tests.
pub(crate) fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Runs `npm ci` unless that was done for this very lock file; one run at a time.
pub(crate) async fn install(name: &str) -> Result<()> {
    let folder = folder(name);
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

/// The facts of the next line a program printed.
pub(crate) async fn facts(lines: &mut Lines<BufReader<ChildStdout>>) -> Result<Value> {
    let line = lines.next_line().await?.context("it ended")?;
    serde_json::from_str(&line).context("it printed no JSON")
}

/// The facts of the next step, which must be this one.
pub(crate) async fn step(lines: &mut Lines<BufReader<ChildStdout>>, name: &str) -> Result<Value> {
    let facts = facts(lines).await.with_context(|| format!("before {name:?}"))?;
    ensure!(facts["step"] == name, "{facts} instead of {name:?}");
    Ok(facts)
}
