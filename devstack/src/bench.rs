//! `./dev bench`: builds what is measured as it is released, and becomes the benchmarks.

mod peers;

use std::os::unix::process::CommandExt as _;
use std::process::{Command, ExitCode};

use anyhow::{Context as _, Result};

use crate::console::step;
use crate::install::{self, Need};
use crate::program::Program;
use crate::{checkout, postgres_folders};

/// The benchmarks that need neither Kafka nor MongoDB nor servers of others.
const WITHOUT_CHAT: [&str; 3] = ["login", "attack", "accounts"];

pub(crate) async fn run(args: &[String]) -> Result<ExitCode> {
    let mut needs = vec![Need::Postgres];
    let chat = wants_chat(args);
    if chat {
        needs.extend([Need::Kafka, Need::MongoDb]);
    }
    install::ensure(&needs).await?;
    if chat {
        peers::ensure().await?;
    }
    // The same three whatever is measured: with fewer, what they share would have other features.
    let build = Program::new("cargo")
        .args(["build", "--release", "--quiet"])
        .args(["-p", "auth-connector", "-p", "chat-api", "-p", "bench"])
        .with_whole_env();
    let log = checkout::state().join("log/build-release.log");
    step("build as released", build.run(&log)).await?;
    // What an interrupted run has left.
    postgres_folders::sweep();
    let error = Command::new(checkout::released("bench")?).args(args).exec();
    Err(error).context("the benchmarks cannot be started")
}

/// Whether the chat is among what is asked for: it is when nothing is named.
fn wants_chat(args: &[String]) -> bool {
    let names = |name: &str| args.iter().any(|arg| arg == name);
    names("chat") || !WITHOUT_CHAT.iter().any(|name| names(name))
}
