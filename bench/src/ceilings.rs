//! `ceilings`: what the parts of the chat do bare, and with the same settings. Each command prints
//! what it found as one line of JSON, but for `accept` and `whole`, which serve until they are killed.

mod accept;
mod access;
mod insert;
mod log;
mod mix;
mod tally;
mod tokens;
mod whole;

use std::net::SocketAddr;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};
use devstack::console::say;
use serde::de::DeserializeOwned;

use crate::pin;
use log::LogArgs;

pub(crate) use access::AccessTime;
pub(crate) use insert::documents;
pub(crate) use mix::Mixed;
pub(crate) use tally::Tally;
pub(crate) use tokens::{AUDIENCE, CheckTimes};

/// The command line, in both directions.
#[derive(Debug, Parser)]
struct CeilingsCli {
    #[command(subcommand)]
    command: Ask,
}

#[derive(Debug, Subcommand)]
enum Ask {
    /// Appends to the log, so many records under way at any time.
    Append {
        #[command(flatten)]
        log: LogArgs,
        #[arg(long)]
        in_flight: usize,
        #[arg(long)]
        seconds: f64,
    },
    /// Appends to the log at a fixed rate; each takes until it is acknowledged.
    Pace(Paced),
    /// Appends to the log at a fixed rate; each takes until a consumer has it.
    Echo(Paced),
    /// Appends so many records as fast as it goes.
    Fill {
        #[command(flatten)]
        log: LogArgs,
        #[arg(long)]
        count: u64,
    },
    /// Fills all partitions of a log with what happens in many rooms.
    Mix(mix::MixArgs),
    /// Inserts so many documents.
    Insert(insert::InsertArgs),
    /// Serves `POST /v1/messages`, which checks the token and does nothing else.
    Accept {
        #[arg(long)]
        listen: SocketAddr,
        #[arg(long)]
        issuer: String,
    },
    /// Serves `POST /v1/messages` with all that is behind it: the log, two readers of it, the archive.
    Whole(whole::WholeArgs),
    /// Verifies tokens.
    Verify(tokens::VerifyArgs),
    /// Asks who may speak in rooms that are known.
    Access(access::AccessArgs),
}

/// Appending at a fixed rate.
#[derive(Debug, clap::Args)]
struct Paced {
    #[command(flatten)]
    log: LogArgs,
    #[arg(long)]
    per_second: f64,
    #[arg(long)]
    seconds: f64,
}

/// Runs the command line.
pub async fn main() -> ExitCode {
    match answer(CeilingsCli::parse().command).await {
        Ok(line) => {
            say(line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ceilings: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn answer(ask: Ask) -> Result<String> {
    let seconds = Duration::from_secs_f64;
    Ok(match ask {
        Ask::Append { log, in_flight, seconds: s } => {
            serde_json::to_string(&log::append(&log, in_flight, seconds(s))?)?
        }
        Ask::Pace(Paced { log, per_second, seconds: s }) => {
            serde_json::to_string(&log::pace(&log, per_second, seconds(s)).await?)?
        }
        Ask::Echo(Paced { log, per_second, seconds: s }) => {
            serde_json::to_string(&log::echo(&log, per_second, seconds(s)).await?)?
        }
        Ask::Fill { log, count } => serde_json::to_string(&log::fill(&log, count)?)?,
        Ask::Insert(args) => serde_json::to_string(&insert::run(&args).await?)?,
        Ask::Accept { listen, issuer } => accept::serve(listen, &issuer).await?,
        Ask::Whole(args) => whole::serve(&args).await?,
        Ask::Verify(args) => serde_json::to_string(&tokens::run(&args).await?)?,
        Ask::Mix(args) => serde_json::to_string(&mix::run(&args)?)?,
        Ask::Access(args) => serde_json::to_string(&access::run(&args).await?)?,
    })
}

/// Runs a command of the program on a processor.
pub(crate) async fn ask<T: DeserializeOwned>(core: &str, args: &[String]) -> Result<T> {
    let output = pin::output_of(core, "ceilings", args).await?;
    serde_json::from_slice(&output).context("a ceiling prints JSON")
}
