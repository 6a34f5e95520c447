//! The command line.

mod archive;
mod dlq;

use std::process::ExitCode;
use std::time::Duration;

use clap::{Parser, Subcommand};
use service_process::exit;
use service_process::lifecycle::Lifecycle;
use service_process::output;
use service_process::telemetry::{self, TelemetryArgs};

use crate::app::{self, App};
use crate::config::{BadConfiguration, Config, LogArgs, ServeArgs, TopicArgs};
use crate::kafka::Topics;

/// How long a stop may take after the last socket was to be closed: six seconds for appends under way,
/// and as much for the last batch.
const GRACE: Duration = Duration::from_secs(15);

/// The chat backend: REST and WebSocket in front of one log.
#[derive(Debug, Parser)]
#[command(name = "chat-api", version, about)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serves the chat.
    Serve {
        #[command(flatten)]
        serve: Box<ServeArgs>,
        #[command(flatten)]
        telemetry: TelemetryArgs,
    },
    /// Creates or checks the topics.
    Topics {
        #[command(subcommand)]
        action: TopicsAction,
    },
    /// Looks at records that could not be stored.
    Dlq {
        #[command(subcommand)]
        action: dlq::DlqAction,
    },
    /// Works on the archive.
    Archive {
        #[command(subcommand)]
        action: archive::ArchiveAction,
    },
    /// Checks the configuration of `serve` without connecting to anything.
    CheckConfig {
        #[command(flatten)]
        serve: Box<ServeArgs>,
        #[command(flatten)]
        telemetry: TelemetryArgs,
    },
}

#[derive(Debug, Subcommand)]
enum TopicsAction {
    /// Creates the topics that are missing, then checks all. Changes nothing that exists.
    Ensure {
        #[command(flatten)]
        topics: TopicsArgs,
    },
    /// Makes the next generation of the topic with messages, after the one before was lost or made anew,
    /// so that what is said from now on comes after all that is stored. No replica may run.
    Raise {
        /// Its number: one more than that of the last one.
        #[arg(value_parser = clap::value_parser!(u16).range(1..=i64::from(crate::kafka::LAST_GENERATION)))]
        generation: u16,
        #[command(flatten)]
        topics: TopicsArgs,
    },
    /// Checks the topics; names every difference.
    Check {
        #[command(flatten)]
        topics: TopicsArgs,
    },
}

#[derive(Debug, clap::Args)]
struct TopicsArgs {
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    shape: TopicArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

impl Cli {
    /// Does what was asked and returns the code to exit with.
    pub async fn run(self) -> ExitCode {
        exit::code(self.command.run().await, failed)
    }
}

impl Command {
    async fn run(self) -> anyhow::Result<ExitCode> {
        match self {
            Self::Serve { serve, telemetry } => {
                telemetry::init(&telemetry);
                return serve_until_stopped(*serve).await;
            }
            Self::CheckConfig { serve, telemetry } => {
                telemetry::init(&telemetry);
                serve.check()?;
                output::line("the configuration is usable")?;
            }
            Self::Topics { action: TopicsAction::Ensure { topics } } => topics.ensure().await?,
            Self::Topics { action: TopicsAction::Check { topics } } => topics.check().await?,
            Self::Topics { action: TopicsAction::Raise { generation, topics } } => {
                topics.raise(generation).await?;
            }
            Self::Dlq { action } => dlq::run(action).await?,
            Self::Archive { action } => archive::run(action).await?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

async fn serve_until_stopped(args: ServeArgs) -> anyhow::Result<ExitCode> {
    let config = Config::new(args);
    let grace = config.timeouts.drain_pause + config.timeouts.drain_over + GRACE;
    let app = App::build(config).await?;
    let lifecycle = Lifecycle::new(grace);
    app.run(&lifecycle);
    Ok(lifecycle.run_until_stopped().await)
}

impl TopicsArgs {
    async fn topics(&self) -> anyhow::Result<Topics> {
        telemetry::init(&self.telemetry);
        let shape = self.shape.shape()?;
        let log = app::newest(self.log.log()?).await?;
        Ok(Topics::new(&log, shape)?)
    }

    async fn raise(&self, generation: u16) -> anyhow::Result<()> {
        telemetry::init(&self.telemetry);
        let shape = self.shape.shape()?;
        let mut log = app::newest(self.log.log()?).await?;
        let newest = log.generation;
        anyhow::ensure!(generation > newest, "the log is of generation {newest} already");
        log.generation = generation;
        Ok(Topics::new(&log, shape)?.raise(&log).await?)
    }

    async fn ensure(&self) -> anyhow::Result<()> {
        Ok(self.topics().await?.ensure().await?)
    }

    async fn check(&self) -> anyhow::Result<()> {
        Ok(self.topics().await?.check().await?)
    }
}

fn failed(error: &anyhow::Error) -> u8 {
    eprintln!("chat-api: {error:#}");
    if error.is::<BadConfiguration>() { exit::CONFIG } else { exit::FAILURE }
}
