//! Commands that go on in the background once what they start is ready.

use std::fs::{self, File};
use std::process::{Command, ExitCode, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tokio::time::{Instant, sleep};

use crate::checkout;
use crate::console::say;
use crate::logs::Follower;
use crate::signals::terminated;

/// Between two looks at what it said.
const TICK: Duration = Duration::from_millis(200);
/// Longer than any command takes to stop what it started.
const STOP_LIMIT: Duration = Duration::from_secs(90);

/// Starts this program with these arguments in a session of its own, and shows what it says until it is ready. A signal
/// before that stops what was started.
pub(crate) async fn start(args: &[&str], name: &str, ready: impl Fn() -> bool) -> Result<ExitCode> {
    let log = checkout::state().join("log").join(format!("{name}.log"));
    fs::create_dir_all(checkout::state().join("log")).context(".dev/log cannot be made")?;
    let output = File::create(&log).with_context(|| format!("no {}", log.display()))?;
    let mut command = Command::new("setsid");
    command
        .arg(std::env::current_exe()?)
        .args(args)
        .stdin(Stdio::null())
        .stdout(output.try_clone()?)
        .stderr(output);
    let mut child = command.spawn().context("it cannot be started in the background")?;
    let mut follower = Follower::new(log);
    loop {
        let status = child.try_wait().context("it cannot be waited for")?;
        let ready = ready();
        follower.lines().iter().for_each(say);
        if let Some(status) = status {
            bail!("it did not start ({status})");
        }
        if ready {
            return Ok(ExitCode::SUCCESS);
        }
        tokio::select! {
            () = sleep(TICK) => {}
            _ = terminated() => break,
        }
    }
    say("interrupted: stopping what was started");
    let pid = Pid::from_raw(i32::try_from(child.id()).context("a process id is an i32")?);
    // It may have ended this instant.
    let _ = kill(pid, Signal::SIGTERM);
    let deadline = Instant::now() + STOP_LIMIT;
    while child.try_wait().context("it cannot be waited for")?.is_none() {
        follower.lines().iter().for_each(say);
        if Instant::now() >= deadline {
            bail!("process {pid} did not stop within {} s", STOP_LIMIT.as_secs());
        }
        sleep(TICK).await;
    }
    follower.lines().iter().for_each(say);
    Ok(ExitCode::from(130))
}
