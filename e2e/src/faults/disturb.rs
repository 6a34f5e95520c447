//! What is done to a running stack.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use devstack::install;
use devstack::part::Part;
use devstack::program::Program;
use tokio::fs;
use tokio::time::sleep;

use super::stage::Stage;
use crate::chat::LOBBY;

/// How a part goes away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blow {
    /// SIGKILL: it is gone in the middle of whatever it does.
    Kill,
    /// SIGTERM: it ends in order.
    Stop,
    /// SIGSTOP: it is there and does nothing, and goes on where it was.
    Freeze,
}

/// Takes a part away for a while, and waits until it serves again.
pub async fn away(part: &Part, blow: Blow, time: Duration) -> Result<()> {
    take_away(part, blow).await?;
    sleep(time).await;
    bring_back(part, blow).await
}

/// Takes a part away.
pub async fn take_away(part: &Part, blow: Blow) -> Result<()> {
    match blow {
        Blow::Kill => part.kill().await,
        Blow::Stop => ensure!(part.stop().await, "{} had to be killed", part.name()),
        Blow::Freeze => part.freeze(),
    }
    Ok(())
}

/// Brings back what was taken away so, and waits until it serves.
pub async fn bring_back(part: &Part, blow: Blow) -> Result<()> {
    match blow {
        Blow::Kill | Blow::Stop => part.start().await,
        Blow::Freeze => {
            part.thaw();
            part.ready().await
        }
    }
}

/// Starts a replica anew with a clock that is off by `seconds`. Only the time of day is: durations
/// are measured by another clock, which machines do not set.
pub async fn skew(stage: &Stage, replica: usize, seconds: i32) -> Result<()> {
    let library = install::faketime().context("libfaketime is not installed")?;
    let folder = tempfile::tempdir()?;
    let waits = compiled_waits(folder.path()).await?;
    let mut libraries = waits.into_os_string();
    libraries.push(" ");
    libraries.push(library);
    let part = stage.replica(replica)?;
    part.stop().await;
    part.start_with(&[
        ("LD_PRELOAD", libraries.as_os_str()),
        ("FAKETIME", format!("{seconds:+}s").as_ref()),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1".as_ref()),
        ("DONT_FAKE_MONOTONIC", "1".as_ref()),
    ])
    .await
}

/// The library that lets librdkafka wait under libfaketime; its source says why.
async fn compiled_waits(folder: &Path) -> Result<PathBuf> {
    let (source, library) = (folder.join("cnd_timedwait.c"), folder.join("cnd_timedwait.so"));
    fs::write(&source, include_str!("cnd_timedwait.c")).await?;
    let compiler = Program::new("cc").args(["-shared", "-fPIC", "-o"]).args([&library, &source]);
    compiler.run(&folder.join("cc.log")).await?;
    Ok(library)
}

/// How many records [`poison`] writes.
pub const POISONS: usize = 6;

/// Writes records into the log that no chat API would write.
pub async fn poison(stage: &Stage) -> Result<()> {
    // Not one of a later release either: for that the archive waits.
    let version = r#"{"v":"99","type":"message","message_id":"019ab1c4-91f2-7b60-8a47-d1c02be9a7f0","room_id":"lobby"}"#;
    let here = stage.lobby.partition;
    let elsewhere = (here + 1) % stage.messages.partitions().await?;
    let poisons: [(i32, &str, Option<&str>); POISONS] = [
        (here, LOBBY, Some("not JSON")),
        (here, LOBBY, Some("[]")),
        (here, LOBBY, Some(version)),
        (here, "attic", Some(r#"{"v":1}"#)),
        (here, LOBBY, None),
        (elsewhere, LOBBY, Some(r#"{"v":1}"#)),
    ];
    for (partition, key, value) in poisons {
        stage.messages.write(partition, key, value).await?;
    }
    Ok(())
}
