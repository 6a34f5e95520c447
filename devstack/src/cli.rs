//! The commands of `./dev`.

use std::fmt::Write as _;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command as Executable, ExitCode};

use anyhow::{Context as _, Result};
use clap::{Parser, Subcommand};

use crate::app_page::AppPage;
use crate::cluster_command::ClusterCommand;
use crate::console::say;
use crate::signals::interruptible;
use crate::supervisor::{self, Up};
use crate::{
    bench, checkout, cluster_command, fuzz, ports, postgres_folders, sqlx_data, status, suites,
};

/// The local stack: everything real, no containers.
#[derive(Parser)]
#[command(name = "./dev", bin_name = "./dev", after_help = after_help(), disable_version_flag = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Install what is missing, start everything, follow the logs; Ctrl-C stops all in order
    Up(Up),
    /// Stop what `up` started
    Down,
    /// Show each part with its memory
    Status,
    /// Stop one part and start it again
    Restart {
        /// The part, as `status` names it
        part: String,
        /// Kill it instead of stopping it
        #[arg(long)]
        kill: bool,
    },
    /// Sign in two people and pass a message between them, on the running stack; `demo rooms`: three people in rooms
    Demo {
        /// Passed on to the demo
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// A real Kubernetes cluster of one node with the chart, as root
    Cluster {
        #[command(subcommand)]
        command: ClusterCommand,
    },
    /// Run test suites on real servers; without a name all of them but `faults` and `cluster`
    Test {
        /// lint, process, tokens, session, proto, connector, chat, dex, chart, images, e2e, devstack,
        /// bench, faults-short, faults, cluster
        suites: Vec<suites::Suite>,
    },
    /// Format, clippy, vet, layers, dependencies, query data: the same as `test lint`
    Lint,
    /// Check every query against a migrated database and write connector/.sqlx anew
    Sqlx,
    /// Run the benchmarks on the program as it is released; `bench --help` names them
    #[command(disable_help_flag = true)]
    Bench {
        /// Passed on to the benchmarks
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        args: Vec<String>,
    },
    /// Look for input that breaks a promise
    Fuzz(fuzz::Fuzz),
    /// Stop the stack and remove its state, data and installed programs: .dev/
    Reset,
    /// Serve the app of a stack: what its part `app` runs
    #[command(hide = true)]
    AppPage(AppPage),
}

fn after_help() -> String {
    let mut text = String::from("Ports, each moved by its variable:\n");
    for port in &ports::NAMED {
        let _ = writeln!(text, "  {:<24} {:>5}  {}", port.variable, port.default, port.part);
    }
    text + "\nPOSTGRES_DSN, KAFKA_BROKERS, MONGODB_URI name servers to use instead of starting them.\n\
            State, logs and data lie in .dev/."
}

/// Runs the command line.
pub async fn main() -> ExitCode {
    let cli = Cli::parse();
    let outcome = match cli.command {
        // It stops its parts in order on a signal.
        Command::Up(up) => supervisor::up(&up).await,
        // It has started nothing that would be left.
        Command::AppPage(page) => return ended(interruptible(page.serve()).await),
        Command::Cluster { command: ClusterCommand::Up { bare, background } } => {
            cluster_command::up(bare, background).await
        }
        command => {
            let outcome = interruptible(run(command)).await;
            postgres_folders::sweep();
            outcome
        }
    };
    checkout::give_back();
    ended(outcome)
}

fn ended(outcome: Result<ExitCode>) -> ExitCode {
    outcome.unwrap_or_else(|error| {
        say(format!("error: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn run(command: Command) -> Result<ExitCode> {
    match command {
        Command::Up(up) => supervisor::up(&up).await,
        Command::Down => supervisor::down().await,
        Command::Status => status::show().await,
        Command::Restart { part, kill } => supervisor::restart(part, kill).await,
        Command::Demo { args } => demo(&args),
        Command::Cluster { command } => match command {
            ClusterCommand::Up { bare, background } => cluster_command::up(bare, background).await,
            ClusterCommand::Down => cluster_command::down().await,
            ClusterCommand::Status => cluster_command::status().await,
            ClusterCommand::Test => suites::run(vec![suites::Suite::Cluster]).await,
        },
        Command::Test { suites } => suites::run(suites).await,
        Command::Lint => suites::run(vec![suites::Suite::Lint]).await,
        Command::Sqlx => sqlx_data::update().await,
        Command::Bench { args } => bench::run(&args).await,
        Command::Fuzz(options) => fuzz::run(&options).await,
        Command::Reset => reset().await,
        Command::AppPage(page) => page.serve().await,
    }
}

/// Becomes the demo.
fn demo(args: &[String]) -> Result<ExitCode> {
    checkout::give_back();
    let error = Executable::new(checkout::binary("demo")?).args(args).exec();
    Err(error).context("the demo cannot be started")
}

async fn reset() -> Result<ExitCode> {
    supervisor::down().await?;
    cluster_command::down_own().await?;
    match fs::remove_dir_all(checkout::state()) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
            return Err(error).context(".dev cannot be removed");
        }
        _ => {}
    }
    postgres_folders::sweep();
    say("removed .dev");
    Ok(ExitCode::SUCCESS)
}
