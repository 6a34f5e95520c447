//! The servers of others that chat-api is compared with: from `bench/peers` into `.dev/peers`, each
//! with its dependencies as its lock file names them.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

use crate::checkout;
use crate::install::{into_state, log};
use crate::program::Program;

pub(super) async fn ensure() -> Result<()> {
    into_state("peers/centrifuge", &sources("centrifuge")?, async |target| {
        Program::new("go")
            .args(["build", "-trimpath", "-o"])
            .args([target.join("centrifuge")])
            .dir(folder("centrifuge"))
            .with_whole_env()
            .run(&log("build-centrifuge"))
            .await
    })
    .await?;
    into_state("peers/socketio", &sources("socketio")?, async |target| {
        npm(target, "socketio").await
    })
    .await?;
    into_state("peers/bun", &sources("bun")?, async |target| {
        npm(target, "bun").await?;
        // Puts the program for this processor in place: npm is told to run no scripts.
        Program::new("node")
            .args(["install.js"])
            .dir(target.join("node_modules/bun"))
            .with_whole_env()
            .run(&log("install-bun"))
            .await
    })
    .await
}

async fn npm(target: &Path, peer: &str) -> Result<()> {
    for file in sources(peer)? {
        fs::copy(&file, target.join(file.file_name().unwrap_or_default()))?;
    }
    Program::new("npm")
        .args(["ci", "--no-audit", "--no-fund", "--ignore-scripts"])
        .dir(target)
        .with_whole_env()
        .run(&log(&format!("install-{peer}")))
        .await
}

fn folder(peer: &str) -> PathBuf {
    checkout::root().join("bench/peers").join(peer)
}

/// The files of a peer, in a fixed order: they tell whether it has changed.
fn sources(peer: &str) -> Result<Vec<PathBuf>> {
    let folder = folder(peer);
    let entries = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    let mut files: Vec<PathBuf> =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.is_file()).collect();
    files.sort();
    Ok(files)
}
