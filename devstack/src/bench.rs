//! `./dev bench`: builds what is measured as it is released, and becomes the benchmarks.

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::console::step;
use crate::install::{self, Need};
use crate::program::Program;
use crate::{checkout, clusters};

pub(crate) async fn run(args: &[String]) -> Result<ExitCode> {
    install::ensure(&[Need::Postgres]).await?;
    let build = Program::new("cargo")
        .args(["build", "--release", "--quiet", "-p", "auth-connector", "-p", "bench"])
        .with_whole_env();
    let log = checkout::state().join("log/build-release.log");
    step("build as released", build.run(&log)).await?;
    // What an interrupted run has left.
    clusters::sweep();
    let error = Command::new(checkout::released("bench")?).args(args).exec();
    Err(error).context("the benchmarks cannot be started")
}
