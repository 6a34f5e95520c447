//! `dlq`: records that could not be stored.

mod ask;
mod record_offset;
mod take;

use std::collections::BTreeMap;

use clap::{Args, Subcommand};
use serde::Serialize;
use service_process::output::{self, Columns, OutputArgs, time};
use service_process::telemetry::{self, TelemetryArgs};

use crate::app;
use crate::config::LogArgs;
use crate::kafka::{DeadLetter, DeadLetters, Decoder, Log, LogError, Scan};
use crate::message::Partition;
use ask::ask;
use record_offset::RecordOffset;

#[derive(Debug, Subcommand)]
pub(super) enum DlqAction {
    /// Shows dead letters, records that could not be stored: where they stood and why, never what
    /// they hold.
    List {
        #[command(flatten)]
        list: ListArgs,
    },
    /// Appends dead letters to the log anew, at its end, if they can be read now.
    Replay {
        #[command(flatten)]
        replay: ReplayArgs,
    },
    /// Makes a dead letter of a record of a later release for which the archive waits, so that it goes
    /// on without. For a record that no release will ever understand: what it says is lost to the
    /// history.
    Take {
        #[command(flatten)]
        take: Box<take::TakeArgs>,
    },
}

#[derive(Debug, Args)]
pub(super) struct ListArgs {
    #[command(flatten)]
    log: LogArgs,
    /// At most so many dead letters, the newest ones.
    #[arg(long, default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    output: OutputArgs,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

#[derive(Debug, Args)]
pub(super) struct ReplayArgs {
    #[command(flatten)]
    log: LogArgs,
    /// A dead letter by the place where its record stood, as `dlq list` shows it. May be repeated.
    #[arg(
        long,
        value_name = "PARTITION:OFFSET",
        value_parser = RecordOffset::parse,
        required_unless_present = "all",
        conflicts_with = "all"
    )]
    offset: Vec<RecordOffset>,
    /// All dead letters.
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    telemetry: TelemetryArgs,
}

pub(super) async fn run(action: DlqAction) -> anyhow::Result<()> {
    match action {
        DlqAction::List { list: args } => list(args).await,
        DlqAction::Replay { replay: args } => replay(args).await,
        DlqAction::Take { take: args } => take::run(*args).await,
    }
}

/// Every dead letter, partition by partition.
struct Letters {
    scan: Scan,
    left: Vec<Partition>,
}

impl Letters {
    async fn open(log: &Log) -> anyhow::Result<Self> {
        let partitions = ask(log, |log| log.partitions_of(&log.dead_letters())).await?;
        Ok(Self { scan: Scan::new(log, log.dead_letters())?, left: partitions.all().collect() })
    }

    async fn next(&mut self) -> Result<Option<DeadLetter>, LogError> {
        loop {
            if let Some(raw) = self.scan.next().await? {
                return Ok(Some(DeadLetter::read(raw)));
            }
            let Some(partition) = self.left.pop() else { return Ok(None) };
            let range = self.scan.range(partition).await?;
            self.scan.begin(partition, range)?;
        }
    }
}

/// A dead letter as it is shown.
#[derive(Debug, Serialize)]
struct Row {
    /// When it became a dead letter, UTC to the second; absent if the topic does not tell.
    at: Option<String>,
    topic: Option<String>,
    partition: Option<i32>,
    offset: Option<i64>,
    reason: Option<String>,
    key: Option<String>,
    /// Bytes of its value; of all of it, if it was not kept.
    size: Option<usize>,
    /// Whether it was kept: otherwise it was too large, and `sha256` is that of its value.
    kept: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    sha256: Option<String>,
}

impl Row {
    fn of(letter: DeadLetter) -> Self {
        let DeadLetter { raw, origin, cut } = letter;
        let kept = cut.is_none();
        let (bytes, sha256) = cut.map(|cut| (cut.bytes, cut.sha256)).unzip();
        let place = origin.as_ref().map(RecordOffset::of);
        let (topic, reason) = origin.map(|origin| (origin.topic, origin.reason)).unzip();
        Self {
            at: raw.written.map(time),
            topic,
            partition: place.map(|place| place.partition.number()),
            offset: place.map(|place| place.position.offset()),
            reason,
            key: raw.key.map(|key| String::from_utf8_lossy(&key).into_owned()),
            size: bytes.or(raw.value.map(|value| value.len())),
            kept,
            sha256,
        }
    }

    /// Its cells. What strangers wrote must not move the cursor of a terminal.
    fn cells(self) -> Vec<String> {
        let place = self.partition.zip(self.offset);
        let kept = if self.kept { "" } else { ", not kept" };
        let plain = |text: Option<String>| plain(&text.unwrap_or_default());
        vec![
            self.at.unwrap_or_default(),
            place.map(|(partition, offset)| format!("{partition}:{offset}")).unwrap_or_default(),
            plain(self.reason),
            plain(self.key),
            self.size.map(|size| format!("{size}{kept}")).unwrap_or_default(),
        ]
    }
}

/// A text in which everything that is not seen is escaped, and what escapes it. Quotes are: nothing here
/// stands between quotes.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\'' | '"' => plain.push(character),
            _ => plain.extend(character.escape_debug()),
        }
    }
    plain
}

async fn list(args: ListArgs) -> anyhow::Result<()> {
    telemetry::init(&args.telemetry);
    let mut letters = Letters::open(&args.log.log()?).await?;
    let limit = usize::try_from(args.limit)?;
    let (mut newest, mut older) = (BTreeMap::new(), 0_u64);
    while let Some(letter) = letters.next().await? {
        let place = (letter.raw.written, letter.raw.partition, letter.raw.position);
        newest.insert(place, Row::of(letter));
        if newest.len() > limit {
            newest.pop_first();
            older += 1;
        }
    }
    if args.output.json {
        return newest.values().try_for_each(output::json);
    }
    let rows: Vec<_> = newest.into_values().map(Row::cells).collect();
    Columns::begin(&["since", "record", "reason", "key", "bytes"], &rows)?;
    if older > 0 {
        output::line(&format!("and {older} older ones"))?;
    }
    Ok(())
}

async fn replay(args: ReplayArgs) -> anyhow::Result<()> {
    telemetry::init(&args.telemetry);
    let log = app::newest(args.log.log()?).await?;
    let decoder = Decoder::new(ask(&log, Log::partitioner).await?);
    let mut letters = Letters::open(&log).await?;
    let dead_letters = DeadLetters::new(log.clone());
    let mut missing = args.offset.clone();
    let mut staying = 0_u64;
    while let Some(letter) = letters.next().await? {
        let place = letter.origin.as_ref().map(RecordOffset::of);
        let is_meant = args.all || place.is_some_and(|place| args.offset.contains(&place));
        if !is_meant {
            continue;
        }
        missing.retain(|wanted| Some(*wanted) != place);
        let name = place.map_or_else(|| "a record without a place".to_owned(), |s| s.to_string());
        match dead_letters.replay(&letter, decoder).await {
            Ok(cursor) => {
                let now = RecordOffset { partition: cursor.partition, position: cursor.position };
                output::line(&format!("{name} stands at {now} now"))?;
            }
            Err(error) => {
                output::line(&format!("{name} stays: {error}"))?;
                staying += 1;
            }
        }
    }
    for place in &missing {
        output::line(&format!("{place} is no dead letter"))?;
    }
    let failed = staying + missing.len() as u64;
    anyhow::ensure!(failed == 0, "{failed} were not appended");
    Ok(())
}

#[cfg(test)]
#[path = "dlq_tests.rs"]
mod tests;
