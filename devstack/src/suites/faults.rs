//! The suites of the fault runs: the program `faults`, which shows its figures as it goes.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::servers::{Run, Servers};
use super::tally::{Tally, of_closing_line};
use crate::checkout;
use crate::console::say;
use crate::logs::Follower;
use crate::program::Program;

/// Between two looks at what it said.
const TICK: Duration = Duration::from_millis(200);

/// Runs the scenarios; each counts as one test. They start servers of their own.
pub(crate) async fn run(run: &Run, servers: &Servers, args: &[&str]) -> Result<Tally> {
    let output = run.dir().join("faults");
    let program = Program::new(checkout::binary("faults")?).args(args);
    let process = servers.surround(program, run).start(&output)?;
    let (mut follower, mut last) = (Follower::new(output), String::new());
    let mut show = || {
        for line in follower.lines() {
            say(&line);
            last = line;
        }
    };
    let status = loop {
        tokio::select! {
            status = process.ended() => break status,
            () = sleep(TICK) => show(),
        }
    };
    show();
    Ok(of_closing_line(&last, status.success()))
}
