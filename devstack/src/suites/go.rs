//! The suites of Go modules.

use std::fs;
use std::path::Path;

use anyhow::Result;

use super::servers::{Run, Servers};
use super::tally::{Tally, of_go};
use crate::checkout;
use crate::cluster::ApiServer;
use crate::console::{say, step};
use crate::program::Program;

/// The tests of the chart: those of its program, and those of its objects with an API server that judges them.
pub(crate) async fn chart(run: &Run, servers: &Servers) -> Result<Tally> {
    let tools = test("helm/tools", &[], run, servers).await?;
    let state = run.dir().join("api-server");
    let server = step("start an API server", ApiServer::start(&state)).await;
    // Without one its test fails, and the others run.
    let server = server.inspect_err(|error| say(format!("{error:#}"))).ok();
    let address = server.as_ref().map(|server| ("API_SERVER_KUBECONFIG", server.kubeconfig()));
    let mut tally = test("helm/tests", address.as_slice(), run, servers).await?;
    tally += tools;
    Ok(tally)
}

/// Runs every test of a Go module, by its folder, with more in its environment. Never from Go's cache: tests talk to
/// programs, and read files, that it knows nothing of.
pub(crate) async fn test(
    module: &str,
    env: &[(&str, &Path)],
    run: &Run,
    servers: &Servers,
) -> Result<Tally> {
    let output = run.dir().join("go.json");
    let log = run.log("go");
    let command = Program::new("go")
        .args(["test", "-count=1", "-json", "./..."])
        .dir(checkout::root().join(module));
    let command = servers.surround(command, run);
    let command = env.iter().fold(command, |command, (name, value)| command.env(name, value));
    let process = command.start_split(&output, &log)?;
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
