//! bcrypt alone, on the service's processor.

use std::process::Stdio;

use anyhow::{Context as _, Result, ensure};
use devstack::checkout;
use tokio::process::Command;

/// Hashes of one measurement: 6 s at the highest cost, 20 of which differ by less than a hundredth.
const HASHES: u32 = 20;

/// How many seconds one verification takes.
pub(crate) async fn seconds_per_hash(core: &str, cost: u32) -> Result<f64> {
    let output = Command::new("taskset")
        .args(["--cpu-list", core])
        .arg(checkout::binary("bare-hashes")?)
        .args([cost.to_string(), HASHES.to_string()])
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("taskset (util-linux) cannot be started")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let seconds: f64 = String::from_utf8_lossy(&output.stdout).trim().parse()?;
    Ok(seconds / f64::from(HASHES))
}
