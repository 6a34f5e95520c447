//! The command line of `./dev bench`.

use std::process::ExitCode;

use anyhow::{Result, ensure};
use clap::{Parser, ValueEnum};
use devstack::console::say;

use crate::pin::Cores;
use crate::report::Report;
use crate::scale::{Part, Scale};
use crate::{accounts, attack, chat, login, rooms};

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
    /// The accounts pages, the search among a million accounts, known and unknown addresses: 5 minutes
    Accounts,
    /// chat-api against what its parts do bare, and against servers of others: an hour
    Chat,
    /// What many rooms cost: lists, the archive, who may speak, everybody at once: 10 minutes
    Rooms,
}

impl Part {
    /// The benchmark that it is of.
    fn of(self) -> Name {
        match self {
            Self::Networks | Self::Goodput | Self::Overload | Self::Twins => Name::Login,
            Self::Pages | Self::Search | Self::Addresses => Name::Accounts,
            Self::MyRooms | Self::Mixture | Self::Access | Self::Storm => Name::Rooms,
            _ => Name::Chat,
        }
    }
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
            Name::Accounts => accounts::run(&mut report, &cores, cli.scale).await?,
            Name::Chat => chat::run(&mut report, &cores, cli.scale).await?,
            Name::Rooms => rooms::run(&mut report, &cores, cli.scale).await?,
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
