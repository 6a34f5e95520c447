//! `dlq take`: a record that no release will ever understand, out of the archive's way.

use anyhow::{Context as _, bail};
use clap::Args;
use service_process::output;
use service_process::telemetry::{self, TelemetryArgs};

use super::ask::ask;
use super::record_offset::{self, RecordOffset};
use crate::app;
use crate::archive::{Archive, Step};
use crate::config::{LogArgs, MongoArgs};
use crate::kafka::{DeadLetters, Decoder, Log, Range, Raw, Scan};
use crate::message::{Decoded, Head, Partition, Position};
use crate::workers::PartitionState;

#[derive(Debug, Args)]
pub(in crate::cli) struct TakeArgs {
    /// The partition that waits.
    #[arg(value_parser = record_offset::partition)]
    partition: Partition,
    /// The offset of the record that it waits for.
    #[arg(value_parser = record_offset::position)]
    offset: Position,
    #[command(flatten)]
    log: LogArgs,
    #[command(flatten)]
    mongodb: MongoArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

/// The record that the archive of a partition waits for.
struct Next {
    progress: Position,
    raw: Raw,
    head: Head,
}

pub(super) async fn run(args: TakeArgs) -> anyhow::Result<()> {
    telemetry::init(&args.telemetry);
    args.mongodb.check()?;
    let partition = args.partition;
    let log = app::newest(args.log.log()?).await?;
    let position = log.position(args.offset.offset())?;
    let partitioner = ask(&log, Log::partitioner).await;
    let partitioner = partitioner.with_context(|| format!("KAFKA_BROKERS {}", log.brokers))?;
    if partition.index() >= partitioner.count() {
        bail!("there is no partition {partition}: the topic has {}", partitioner.count());
    }
    let archive = app::open_archive(&args.mongodb, &log, partitioner).await?;
    let place = RecordOffset { partition, position };
    let Next { progress, raw, head } =
        next(&log, &archive, Decoder::new(partitioner), place).await?;
    // The dead letter first: what is taken must stand somewhere.
    let reason = format!("taken by an operator: a later release wrote it ({head})");
    DeadLetters::new(log.clone()).put(&raw, &reason).await?;
    let step = Step { partition, from: progress, to: position };
    archive.progress.advance(log.generation, &[step]).await?;
    Ok(output::line(&format!("{place} is a dead letter now, and the archive goes on behind it"))?)
}

/// Finds the record that is to be taken, or says why it may not be.
async fn next(
    log: &Log,
    archive: &Archive,
    decoder: Decoder,
    wanted: RecordOffset,
) -> anyhow::Result<Next> {
    let RecordOffset { partition, position } = wanted;
    let progress = archive.progress.read(log.generation, &[partition]).await?[0].1;
    let mut scan = Scan::new(log, log.messages())?;
    let range = scan.range(partition).await?;
    let Some(start) = (PartitionState { partition, progress, range }).begin() else {
        bail!("progress of partition {partition} lies outside the log: see archive rebuild");
    };
    scan.begin(partition, Range { start, ..range })?;
    // Places of the log may hold nothing for readers: what is next is not always right behind.
    let Some(raw) = scan.next().await? else {
        bail!("the archive has everything of partition {partition}");
    };
    if raw.position != position {
        let next = RecordOffset { partition, position: raw.position };
        bail!("the archive is not there: what it stores next of the partition is {next}");
    }
    match decoder.decode(raw.key.as_deref(), raw.value.as_deref(), partition) {
        Ok(Decoded::Newer(newer)) => {
            Ok(Next { progress: progress.position, raw, head: newer.head })
        }
        Ok(Decoded::Known(_)) => bail!("this release understands {wanted}: nothing is to be taken"),
        Err(error) => bail!("{wanted} becomes a dead letter by itself: {error}"),
    }
}
