//! The suite of the Go module.

use std::fs;

use anyhow::Result;

use super::servers::{Run, Servers};
use super::tally::{Tally, of_go};
use crate::checkout;
use crate::console::{say, step};
use crate::program::Program;

/// Runs every Go test, never from Go's cache: they talk to programs it knows nothing of.
pub(crate) async fn run(run: &Run, servers: &Servers) -> Result<Tally> {
    let output = run.dir().join("go.json");
    let log = run.log("go");
    let command = Program::new("go")
        .args(["test", "-count=1", "-json", "./..."])
        .dir(checkout::root().join("dex"));
    let process = servers.surround(command, run).start_split(&output, &log)?;
    let status = step("go test", async { Ok(process.ended().await) }).await?;
    let mut report = of_go(&fs::read_to_string(&output)?);
    if report.tally.failed == 0 && !status.success() {
        report.tally.failed = 1;
    }
    if report.tally.failed > 0 {
        say(report.failures);
        say(fs::read_to_string(&log).unwrap_or_default());
    }
    Ok(report.tally)
}
