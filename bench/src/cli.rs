//! The command line of `./dev bench`.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use devstack::console::say;

use crate::pin::Cores;
use crate::report::Report;
use crate::{attack, chat, login};

/// Run the benchmarks, all of them when none is named; each writes docs/bench/NAME.json.
#[derive(Debug, Parser)]
#[command(name = "./dev bench", bin_name = "./dev bench", disable_version_flag = true)]
struct Cli {
    /// What to run
    names: Vec<Name>,

    /// Fail when a goal is missed; an attack that succeeds always fails
    #[arg(long)]
    check: bool,

    #[command(flatten)]
    scale: Scale,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Name {
    /// Goodput, refusals, known and unknown names, overload, a million networks: 25 minutes
    Login,
    /// An adversary against one account: --minutes
    Attack,
    /// chat-api against what its parts do bare, and against servers of others: 40 minutes
    Chat,
}

/// A part of a benchmark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Part {
    Networks,
    Goodput,
    Overload,
    Twins,
    Ingest,
    Deliveries,
    Memory,
    Latency,
    History,
    Archive,
    Stalled,
    Resume,
    Tokens,
}

impl Part {
    /// The benchmark that it is of.
    fn of(self) -> Name {
        match self {
            Self::Networks | Self::Goodput | Self::Overload | Self::Twins => Name::Login,
            _ => Name::Chat,
        }
    }
}

/// How much is measured.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct Scale {
    /// Rounds of what is measured in turns; fewer than 5 are for trying out
    #[arg(long, default_value = "5", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) rounds: u32,

    /// How long an attack lasts; below 30 the pauses of a locked account are shorter in proportion
    #[arg(long, default_value = "30", value_parser = clap::value_parser!(u32).range(1..=1440))]
    pub(crate) minutes: u32,

    /// Run only this part, of `login` or of `chat`, and write nothing
    #[arg(long)]
    pub(crate) part: Option<Part>,

    /// Pairs of a known and an unknown name that are compared
    #[arg(long, default_value = "2000", value_parser = clap::value_parser!(u32).range(40..=100_000))]
    pub(crate) pairs: u32,
}

/// Runs the command line.
pub async fn main() -> ExitCode {
    let cli = Cli::parse();
    // Dropping the work ends every process it started.
    let outcome = tokio::select! {
        outcome = Box::pin(run(&cli)) => outcome,
        _ = tokio::signal::ctrl_c() => {
            say("interrupted");
            return ExitCode::from(130);
        }
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            say("a goal is missed");
            ExitCode::FAILURE
        }
        Err(error) => {
            say(format!("error: {error:#}"));
            ExitCode::FAILURE
        }
    }
}

/// Tells whether every goal that counts is met.
async fn run(cli: &Cli) -> Result<bool> {
    let cores = Cores::divide()?;
    let names = match (cli.scale.part, cli.names.as_slice()) {
        (Some(part), []) => vec![part.of()],
        (None, []) => Name::value_variants().to_vec(),
        (_, names) => names.to_vec(),
    };
    let is_part = |part: Part| names.iter().all(|name| *name == part.of());
    ensure!(cli.scale.part.is_none_or(is_part), "--part is of another benchmark");
    let mut met = true;
    for name in names {
        let label = name.to_possible_value().map(|value| value.get_name().to_owned());
        let mut report = Report::new(&label.unwrap_or_default(), &cores);
        match name {
            Name::Login => login::run(&mut report, &cores, cli.scale).await?,
            Name::Attack => attack::run(&mut report, &cores, cli.scale).await?,
            Name::Chat => chat::run(&mut report, &cores, cli.scale).await?,
        }
        report.print();
        if cli.scale.part.is_none() {
            report.write()?;
        }
        // An attack is no measurement: what it breaks is broken.
        let counts = cli.check || name == Name::Attack;
        met &= report.all_met() || !counts;
    }
    Ok(met)
}
