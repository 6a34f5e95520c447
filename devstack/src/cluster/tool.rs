//! Small programs of the system, run to their end.

use std::ffi::OsStr;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};

/// Runs a program of the system and gives what it wrote; a failure tells what it complained of.
pub(super) fn tool<I>(name: &str, args: I) -> Result<String>
where
    I: IntoIterator<Item: AsRef<OsStr>>,
{
    let output =
        Command::new(name).args(args).output().with_context(|| format!("{name} does not start"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{name} failed ({}): {}", output.status, complaint.trim());
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
