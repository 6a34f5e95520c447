//! The suites that are a program of `e2e`, `faults` and `cluster`: they show their figures as they go.

use std::time::Duration;

use anyhow::Result;
use tokio::time::sleep;

use super::servers::{Run, Servers};
use super::tally::{Tally, of_closing_line};
use crate::checkout;
use crate::console::say;
use crate::logs::Follower;
use crate::program::{Orderly, Program};

/// Between two looks at what it said.
const TICK: Duration = Duration::from_millis(200);
/// A hang limit for taking everything down; a cluster takes seconds.
const GRACE: Duration = Duration::from_mins(1);

/// Runs the program and counts by its last line. Such programs start servers of their own.
pub(crate) async fn run(name: &str, args: &[&str], run: &Run, servers: &Servers) -> Result<Tally> {
    let output = run.dir().join(name);
    let program = Program::new(checkout::binary(name)?).args(args);
    let process = Orderly::new(servers.surround(program, run).start(&output)?, GRACE);
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
