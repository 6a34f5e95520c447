//! `archive rebuild`: what the archive should hold, stored once more.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use service_process::output;
use service_process::telemetry::{self, TelemetryArgs};

use crate::app;
use crate::config::{LogArgs, MongoArgs};
use crate::workers::{Rebuild, Rebuilt};

#[derive(Debug, Subcommand)]
pub(super) enum ArchiveAction {
    /// Stores again everything that the log holds, beside whatever runs.
    Rebuild {
        #[command(flatten)]
        rebuild: Box<RebuildArgs>,
    },
}

#[derive(Debug, Args)]
pub(super) struct RebuildArgs {
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    mongodb: MongoArgs,
    /// Have the readers begin at the start of the log where their progress lies outside of it.
    #[arg(long)]
    reset_progress: bool,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(super) async fn run(action: ArchiveAction) -> anyhow::Result<()> {
    let ArchiveAction::Rebuild { rebuild: args } = action;
    telemetry::init(&args.telemetry);
    app::check_mongodb(&args.mongodb)?;
    let log = args.log.log();
    let asked = log.clone();
    let partitioner = tokio::task::spawn_blocking(move || asked.partitioner()).await?;
    let partitioner = partitioner.with_context(|| format!("KAFKA_BROKERS {}", log.brokers))?;
    let archive = app::open_archive(&args.mongodb, partitioner).await?;
    let mut rebuild = Rebuild::new(&log, archive, partitioner)?;
    for partition in partitioner.all() {
        let held = rebuild.partition(partition).await?;
        say(&held)?;
        if held.place.begin().is_some() {
            continue;
        }
        if args.reset_progress {
            rebuild.reset(partition).await?;
            output::line(&format!(
                "partition {partition}: progress begins at the start of the log"
            ))?;
        } else {
            let note = "progress lies outside the log: --reset-progress has it begin anew";
            output::line(&format!("partition {partition}: {note}"))?;
        }
    }
    Ok(())
}

fn say(rebuilt: &Rebuilt) -> anyhow::Result<()> {
    let Rebuilt { place, records, fresh, dead } = rebuilt;
    let (partition, start, end) =
        (place.partition, place.range.start.offset(), place.range.end.offset());
    let dead = match dead {
        0 => String::new(),
        dead => format!(", {dead} cannot be stored: see dlq list"),
    };
    let text = format!(
        "partition {partition}: {records} records from {start} to {end}, {fresh} were missing{dead}"
    );
    Ok(output::line(&text)?)
}
