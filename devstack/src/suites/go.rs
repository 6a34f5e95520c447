//! The suites of Go modules.

use std::fs;

use anyhow::Result;

use super::servers::{Run, Servers};
use super::tally::{Tally, of_go};
use crate::checkout;
use crate::console::{say, step};
use crate::program::Program;

/// Runs every test of Go modules, by their folders.
pub(crate) async fn run(modules: &[&str], run: &Run, servers: &Servers) -> Result<Tally> {
    let mut tally = Tally::default();
    for module in modules {
        tally += test(module, run, servers).await?;
    }
    Ok(tally)
}

/// Never from Go's cache: tests talk to programs, and read files, that it knows nothing of.
async fn test(module: &str, run: &Run, servers: &Servers) -> Result<Tally> {
    let output = run.dir().join("go.json");
    let log = run.log("go");
    let command = Program::new("go")
        .args(["test", "-count=1", "-json", "./..."])
        .dir(checkout::root().join(module));
    let process = servers.surround(command, run).start_split(&output, &log)?;
    let status = step(&format!("go test {module}"), async { Ok(process.ended().await) }).await?;
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
