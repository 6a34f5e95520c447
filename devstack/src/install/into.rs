//! Installing into `.dev/`, as a whole or not at all.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, anyhow};

use crate::checkout;
use crate::console::step;

/// Installs into `.dev/NAME` unless that was made from the same files already.
pub(crate) async fn into_state(
    name: &str,
    files: &[PathBuf],
    work: impl AsyncFnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let mut content = Vec::new();
    for file in files {
        content.extend(fs::read(file).with_context(|| format!("no {}", file.display()))?);
    }
    into_state_stamped(name, &checkout::digest(&content), work).await
}

/// Installs into `.dev/NAME` unless that has the stamp already: made aside, then moved, so that
/// an interrupted installation is no installation.
pub(crate) async fn into_state_stamped(
    name: &str,
    stamp: &str,
    work: impl AsyncFnOnce(&Path) -> Result<()>,
) -> Result<()> {
    let target = checkout::state().join(name);
    if fs::read_to_string(target.join(".made-from")).is_ok_and(|known| known == stamp) {
        return Ok(());
    }
    let label = name.rsplit('/').next().unwrap_or(name);
    step(&format!("install {label}"), async {
        let partial = target.with_extension(format!("partial-{}", std::process::id()));
        let _ = fs::remove_dir_all(&partial);
        fs::create_dir_all(&partial)?;
        let outcome = work(&partial).await.and_then(|()| {
            fs::write(partial.join(".made-from"), stamp)?;
            let _ = fs::remove_dir_all(&target);
            fs::rename(&partial, &target).map_err(|error| anyhow!(error))
        });
        if outcome.is_err() {
            let _ = fs::remove_dir_all(&partial);
        }
        outcome
    })
    .await
}

pub(crate) fn log(name: &str) -> PathBuf {
    checkout::state().join("log").join(format!("{name}.log"))
}
