//! Log → archive: a share of the partitions, as a member of a group.
//!
//! How far a partition is done stands in the archive, written after the documents. A new share is
//! read from there on, whatever the group's own offsets say; those follow only so that ordinary
//! tools can show the lag.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::bail;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::Stopped;
use crate::archive::{Archive, ArchiveError};
use crate::ingest::Sources;
use crate::kafka::{Change, GENERATION, GroupConsumer, Item, Range};
use crate::message::{Event, Partition, Position};

/// A batch is written when it has this many records …
const BATCH_RECORDS: usize = 1_000;
/// … or its first one has waited this long.
const BATCH_AGE: Duration = Duration::from_millis(50);
/// How long to wait after a failure of the archive.
const RETRY_AFTER: Duration = Duration::from_millis(500);

/// The reader that fills the archive.
pub struct ArchiveReader {
    consumer: GroupConsumer,
    archive: Archive,
    stopped: Stopped,
    sources: Sources,
    share: BTreeSet<Partition>,
    batch: Vec<Event>,
    /// When something is to be done although nothing comes in.
    due: Option<Instant>,
    /// The archive failed: nothing more is read until it took the batch.
    paused: bool,
}

impl ArchiveReader {
    /// A reader that waits for its share.
    #[must_use]
    pub fn new(
        consumer: GroupConsumer,
        archive: Archive,
        stopped: Stopped,
        sources: Sources,
    ) -> Self {
        let (share, batch) = (BTreeSet::new(), Vec::new());
        Self { consumer, archive, stopped, sources, share, batch, due: None, paused: false }
    }

    /// Reads until it is stopped, then finishes its batch and leaves the group. `abort` cuts the
    /// finishing short: what was not stored is read again.
    pub async fn run(
        mut self,
        stop: CancellationToken,
        abort: CancellationToken,
    ) -> anyhow::Result<()> {
        self.stopped.show();
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.consumer.changed() => {}
                item = self.consumer.next() => self.take(item?)?,
                () = at(self.due), if self.due.is_some() => self.due = None,
            }
            if self.batch.len() >= BATCH_RECORDS && !self.paused {
                self.due = None;
            }
            // Between due times there is only collecting; a change of the share ends a batch.
            if self.due.is_none() || self.consumer.change().is_some() {
                self.settle().await?;
            }
        }
        if !self.batch.is_empty() {
            tokio::select! {
                () = abort.cancelled() => {}
                stored = self.store() => { stored?; }
            }
        }
        let consumer = self.consumer;
        tokio::task::spawn_blocking(move || drop(consumer)).await?;
        Ok(())
    }

    fn take(&mut self, item: Item) -> anyhow::Result<()> {
        match item {
            Item::Event(event)
                if self.share.contains(&event.partition)
                    && !self.stopped.contains(event.partition) =>
            {
                if self.batch.is_empty() {
                    self.due = Some(Instant::now() + BATCH_AGE);
                }
                self.batch.push(event);
            }
            // Fetched before its partition was stopped or let go.
            Item::Event(_) | Item::End(_) => {}
            Item::Undecodable(partition, position, error) => {
                self.consumer.pause([partition])?;
                self.stopped.at(partition, position, &error);
            }
            Item::OutOfRange => {
                bail!("archive: progress lies outside the log; starting anew names the partition")
            }
            Item::Trouble(error) => tracing::warn!(%error, "archive: the log is in trouble"),
        }
        Ok(())
    }

    /// Writes the batch, then answers changes of the share. Comes back later if the archive fails.
    async fn settle(&mut self) -> anyhow::Result<()> {
        let stored = self.batch.is_empty() || self.store().await?;
        while let Some(change) = self.consumer.change() {
            let answered = match change {
                // What could not be stored now is for the partitions' next reader.
                Change::Revoked(partitions) => self.give_up(&partitions).map(|()| true)?,
                Change::Assigned(partitions) => self.start(&partitions).await?,
            };
            if !answered {
                self.due = Some(Instant::now() + RETRY_AFTER);
                return Ok(());
            }
        }
        if self.batch.is_empty() {
            return self.resume();
        }
        if !stored {
            self.due = Some(Instant::now() + RETRY_AFTER);
        }
        Ok(())
    }

    fn resume(&mut self) -> anyhow::Result<()> {
        if std::mem::take(&mut self.paused) {
            let going =
                self.share.iter().copied().filter(|partition| !self.stopped.contains(*partition));
            self.consumer.resume(going)?;
            tracing::info!("archive: goes on");
        }
        Ok(())
    }

    fn give_up(&mut self, partitions: &[Partition]) -> anyhow::Result<()> {
        self.batch.retain(|event| !partitions.contains(&event.partition));
        self.share.retain(|partition| !partitions.contains(partition));
        self.stopped.forget(partitions);
        self.consumer.give_up(partitions)?;
        tracing::info!(?partitions, "archive: partitions went to another reader");
        Ok(())
    }

    /// Whether archive and log told where to begin.
    async fn start(&mut self, partitions: &[Partition]) -> anyhow::Result<bool> {
        let mut starts = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let progress = match self.archive.progress(GENERATION, *partition).await {
                Ok(progress) => progress,
                Err(error) => {
                    self.failed(&error);
                    return Ok(false);
                }
            };
            match self.consumer.range(*partition).await {
                Ok(range) => starts.push((*partition, self.begin(*partition, progress, range))),
                Err(error) => {
                    tracing::warn!(%error, "archive: the log is in trouble");
                    return Ok(false);
                }
            }
        }
        self.consumer.start(&starts)?;
        self.share.extend(partitions);
        let waits = |partition: &Partition| self.paused || self.stopped.contains(*partition);
        self.consumer.pause(partitions.iter().copied().filter(waits))?;
        tracing::info!(?starts, "archive: reading partitions");
        Ok(true)
    }

    /// Where to read a partition from. It stops if its progress is not a place in the log.
    fn begin(&mut self, partition: Partition, progress: Position, range: Range) -> Position {
        let next = progress.next();
        let never_begun = progress == Position::BEFORE_ALL;
        if never_begun || (range.start <= next && next <= range.end) {
            return next.max(range.start);
        }
        let (start, end) = (range.start.raw(), range.end.raw());
        let reason = format!("progress lies outside the log, which holds {start} to {end}");
        self.stopped.at(partition, next, &reason);
        range.end
    }

    /// Whether the archive took the batch. If not, reading pauses while the log is still polled.
    async fn store(&mut self) -> anyhow::Result<bool> {
        let refused = match self.archive.store(&self.batch).await {
            Ok(()) => Vec::new(),
            Err(ArchiveError::Refused(indexes)) => indexes,
            Err(error) => return self.pause(&error),
        };
        self.stop_refused(&refused)?;
        let done = done(&self.batch);
        if let Err(error) = self.archive.advance(GENERATION, &done).await {
            return self.pause(&error);
        }
        if let Err(error) = self.consumer.commit(&done) {
            tracing::warn!(%error, "archive: the group was not told");
        }
        self.count();
        self.batch.clear();
        Ok(true)
    }

    /// Takes refused records, and what follows them in their partitions, out of the batch.
    fn stop_refused(&mut self, refused: &[usize]) -> anyhow::Result<()> {
        for index in refused {
            let event = &self.batch[*index];
            if !self.stopped.contains(event.partition) {
                self.consumer.pause([event.partition])?;
                self.stopped.at(
                    event.partition,
                    event.position,
                    &"the archive refuses the document",
                );
            }
        }
        let mut passed = BTreeSet::new();
        let mut index = 0;
        self.batch.retain(|event| {
            if refused.contains(&index) {
                passed.insert(event.partition);
            }
            index += 1;
            !passed.contains(&event.partition)
        });
        Ok(())
    }

    fn pause(&mut self, error: &ArchiveError) -> anyhow::Result<bool> {
        self.failed(error);
        if !std::mem::replace(&mut self.paused, true) {
            self.consumer.pause(self.share.iter().copied())?;
        }
        Ok(false)
    }

    fn failed(&self, error: &ArchiveError) {
        let waiting = self.batch.len();
        tracing::warn!(%error, waiting, "archive: trying again");
        metrics::counter!("chat_archive_failures_total").increment(1);
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
    fn count(&self) {
        metrics::counter!("chat_archive_batches_total").increment(1);
        metrics::counter!("chat_archive_documents_total").increment(self.batch.len() as u64);
        metrics::histogram!("chat_archive_batch_records").record(self.batch.len() as f64);
        if let Some(oldest) = self.batch.iter().map(|event| event.envelope.timestamp).min() {
            let lag = (self.sources.now)() - oldest;
            metrics::gauge!("chat_archive_lag_seconds").set(lag.num_milliseconds() as f64 / 1000.0);
        }
    }
}

/// The last position of each partition in a batch.
fn done(batch: &[Event]) -> Vec<(Partition, Position)> {
    let mut done = BTreeMap::new();
    for event in batch {
        done.insert(event.partition, event.position);
    }
    done.into_iter().collect()
}

async fn at(due: Option<Instant>) {
    if let Some(due) = due {
        tokio::time::sleep_until(due).await;
    }
}
