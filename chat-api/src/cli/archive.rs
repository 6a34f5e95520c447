//! `archive rebuild`: what the archive should hold, stored once more.

use anyhow::Context as _;
use clap::{Args, Subcommand};
use service_process::output;
use service_process::telemetry::{self, TelemetryArgs};

use crate::app;
use crate::config::{LogArgs, MongoArgs};
use crate::kafka::Decoder;
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
    args.mongodb.check()?;
    let log = app::newest(args.log.log()?).await?;
    let asked = log.clone();
    let partitioner = tokio::task::spawn_blocking(move || asked.partitioner()).await?;
    let partitioner = partitioner.with_context(|| format!("KAFKA_BROKERS {}", log.brokers))?;
    let archive = app::open_archive(&args.mongodb, &log, partitioner).await?;
    let mut rebuild = Rebuild::new(&log, archive, Decoder::new(partitioner))?;
    let mut stopped = 0;
    for partition in partitioner.all() {
        let held = rebuild.partition(partition).await?;
        say(&held)?;
        if let Some(lost) = held.state.lost() {
            output::line(&format!(
                "partition {partition}: offsets {} to {} are lost: the log let them go before they were stored",
                lost.start.offset(),
                lost.end.previous().offset(),
            ))?;
        }
        let is_outside = held.state.begin().is_none();
        if is_outside && args.reset_progress {
            rebuild.reset(partition).await?;
            output::line(&format!(
                "partition {partition}: progress begins at the start of the log"
            ))?;
        } else if is_outside {
            let note = "progress lies outside the log: --reset-progress has it begin anew";
            output::line(&format!("partition {partition}: {note}"))?;
        }
        stopped += u32::from((is_outside && !args.reset_progress) || held.newer > 0);
    }
    let markers = rebuild.markers().await?;
    output::line(&format!("markers: {markers} records"))?;
    anyhow::ensure!(stopped == 0, "{stopped} partitions stay stopped");
    Ok(())
}

fn say(rebuilt: &Rebuilt) -> anyhow::Result<()> {
    let Rebuilt { state, records, fresh, dead, newer } = rebuilt;
    let (partition, start, end) =
        (state.partition, state.range.start.offset(), state.range.end.offset());
    let dead = match dead {
        0 => String::new(),
        dead => format!(", {dead} cannot be stored: see dlq list"),
    };
    let newer = match newer {
        0 => String::new(),
        newer => format!(", {newer} of a later release wait for it"),
    };
    let text = format!(
        "partition {partition}: {records} records from {start} to {end}, {fresh} were missing{dead}{newer}"
    );
    Ok(output::line(&text)?)
}
