//! Which partitions this reader has, and where each of them stands between progress and log.

use std::time::Duration;

use tokio::time::Instant;

use super::ArchiveReader;
use super::done::Done;
use super::hold::{Hold, NewerAt};
use super::look::{Before, Look};
use crate::kafka::{Change, Ranges};
use crate::message::{Partition, Position};
use crate::metrics;
use crate::workers::PartitionState;
use crate::workers::stopped::StopReason;

/// Between two looks. Each costs one query, and two questions to Kafka per partition.
const LOOK_EVERY: Duration = Duration::from_secs(2);
/// How long to wait after a failure of the archive.
pub(super) const RETRY_AFTER: Duration = Duration::from_millis(500);
/// Before a look that something waits for.
const SOON: Duration = Duration::from_millis(20);
/// How long partitions that are asked back may be kept to finish their batch. What is not finished is
/// the next reader's.
const FINISH: Duration = Duration::from_secs(2);

impl ArchiveReader {
    /// Looks at progress and log of the share, and of what is to become a part of it.
    pub(super) fn begin_look(&mut self, now: Instant) {
        let before =
            |(partition, known)| Before { partition, known, next: self.backlog.next(partition) };
        let before: Vec<_> = self.backlog.known().map(before).collect();
        let mut partitions: Vec<_> = before.iter().map(|before| before.partition).collect();
        if let Some(Change::Assigned(coming)) = self.consumer.change() {
            partitions.extend(coming);
        }
        if partitions.is_empty() {
            self.look_at = now + LOOK_EVERY;
            self.show_age();
            return;
        }
        self.under_way.looking = true;
        let ranges = self.consumer.ranges(partitions.clone());
        let (archive, generation) = (self.archive.clone(), self.consumer.generation());
        self.work.push(Box::pin(async move {
            let (ranges, progress) =
                tokio::join!(ranges, archive.progress.read(generation, &partitions));
            Done::Looked(Look { before, ranges, progress })
        }));
    }

    pub(super) fn looked(&mut self, look: Look) -> anyhow::Result<()> {
        self.under_way.looking = false;
        self.show_age();
        let seen = self.judge(look)?;
        let is_awaited = self.fallen || matches!(self.consumer.change(), Some(Change::Assigned(_)));
        let after = match (is_awaited, seen) {
            (false, _) => LOOK_EVERY,
            (true, false) => RETRY_AFTER,
            // It came up while this look was under way.
            (true, true) => SOON,
        };
        self.look_at = Instant::now() + after;
        Ok(())
    }

    /// Acts on a look. `false` if there was nothing to be seen.
    fn judge(&mut self, Look { before, ranges, progress }: Look) -> anyhow::Result<bool> {
        let ranges = match ranges {
            Ok(ranges) => ranges,
            Err(error) => {
                tracing::warn!(%error, "archive: the log is in trouble");
                return Ok(false);
            }
        };
        self.show_lag(&ranges);
        let progress = match progress {
            Ok(progress) => progress,
            Err(error) => {
                tracing::warn!(%error, "archive: progress cannot be read");
                ::metrics::counter!(metrics::ARCHIVE_FAILURES).increment(1);
                return Ok(false);
            }
        };
        // Both were asked about the same partitions, in the same order.
        let state =
            |((partition, range), (_, progress))| PartitionState { partition, progress, range };
        let states: Vec<_> = ranges.into_iter().zip(progress).map(state).collect();
        match self.consumer.change() {
            Some(Change::Assigned(coming)) => {
                let is_coming = |state: &PartitionState| coming.contains(&state.partition);
                let states: Vec<_> = states.into_iter().filter(is_coming).collect();
                if states.len() == coming.len() {
                    self.start(&states)?;
                }
            }
            // The client library would take a partition that begins again for the answer.
            Some(Change::Revoked(_)) => {}
            None => {
                self.fallen = false;
                for state in states {
                    let is_this = |before: &&Before| before.partition == state.partition;
                    if let Some(before) = before.iter().find(is_this) {
                        self.compare(*before, state)?;
                    }
                }
            }
        }
        Ok(true)
    }

    /// Compares a partition of the share with what was seen of it.
    fn compare(&mut self, before: Before, state: PartitionState) -> anyhow::Result<()> {
        let PartitionState { partition, progress, range } = state;
        if let Some(Hold::Lost { at }) = self.holds.get(&partition).copied() {
            if progress.position != at {
                return self.begin_again(before.known, state);
            }
            if !progress.lost {
                self.mark_lost(partition);
            }
            return Ok(());
        }
        if let Some(Hold::Refused { until }) = self.holds.get(&partition) {
            let is_over = *until <= Instant::now();
            return if is_over { self.read_refused_again(state) } else { Ok(()) };
        }
        if progress.position < before.known {
            return self.begin_again(before.known, state);
        }
        if let Some(NewerAt { position, .. }) = self.newer.get(&partition) {
            let is_taken = *position <= progress.position;
            // What was read while the look was under way may be newer than what the look saw.
            let ended_before = before.next.is_none();
            if is_taken || (ended_before && !(range.start..range.end).contains(position)) {
                return self.begin_again(before.known, state);
            }
        }
        // It may have gone, or may have been read on, since the look began.
        let (Some(then), Some(now)) = (before.next, self.backlog.next(partition)) else {
            return Ok(());
        };
        if range.end < then || now < range.start {
            self.begin_again(before.known, state)?;
        }
        Ok(())
    }

    /// Reads a partition from its progress on, or stops it if that is no place in the log.
    fn begin_again(&mut self, known: Position, state: PartitionState) -> anyhow::Result<()> {
        let PartitionState { partition, progress, .. } = state;
        let Some(next) = state.begin() else { return self.stop_lost(state) };
        let (from, to) = (known.raw(), progress.position.raw());
        if to < from {
            tracing::warn!(%partition, from, to, "archive: progress fell: reading again from there");
        } else {
            tracing::info!(%partition, from, to, "archive: progress was moved: reading from there");
        }
        self.newer.remove(&partition);
        self.backlog.open(partition, progress.position, next);
        self.consumer.restart(partition, next)?;
        self.release_hold(partition)
    }

    /// Takes partitions into the share.
    fn start(&mut self, states: &[PartitionState]) -> anyhow::Result<()> {
        let start =
            |state: &PartitionState| (state.partition, state.begin().unwrap_or(state.range.end));
        let starts: Vec<_> = states.iter().map(start).collect();
        self.consumer.start(&starts)?;
        for state in states {
            match state.begin() {
                Some(next) => self.backlog.open(state.partition, state.progress.position, next),
                None => self.stop_lost(*state)?,
            }
        }
        // Whatever was said of them before: in the client library a pause outlives the share.
        let coming = starts.iter().map(|(partition, _)| *partition);
        if self.paused {
            self.consumer.pause(coming)?;
        } else {
            self.consumer.resume(coming.filter(|partition| !self.is_held(*partition)))?;
        }
        tracing::info!(?starts, "archive: reading partitions");
        Ok(())
    }

    /// Stops a partition whose progress is not a place in the log.
    pub(super) fn stop_lost(
        &mut self,
        PartitionState { partition, progress, range }: PartitionState,
    ) -> anyhow::Result<()> {
        let at = progress.position;
        self.backlog.stop(partition, at);
        self.newer.remove(&partition);
        self.hold(partition, Hold::Lost { at })?;
        let lies = if progress.lost { "was found" } else { "lies" };
        let (start, end) = (range.start.offset(), range.end.offset());
        let reason = format!("progress {lies} outside the log, which holds {start} to {end}");
        self.stopped.at(partition, at.next(), StopReason::Lost, &reason);
        if !progress.lost {
            self.mark_lost(partition);
        }
        Ok(())
    }

    /// The log may grow past the place of a progress that is outside of it, and would then seem to be
    /// read.
    fn mark_lost(&mut self, partition: Partition) {
        let (archive, generation) = (self.archive.clone(), self.consumer.generation());
        self.work.push(Box::pin(async move {
            Done::Marked(archive.progress.mark_lost(generation, partition).await)
        }));
    }

    pub(super) fn hold(&mut self, partition: Partition, hold: Hold) -> anyhow::Result<()> {
        self.holds.insert(partition, hold);
        Ok(self.consumer.pause([partition])?)
    }

    /// Goes on with a partition that was held.
    pub(super) fn release_hold(&mut self, partition: Partition) -> anyhow::Result<()> {
        self.holds.remove(&partition);
        if self.show_newer(partition) {
            return Ok(());
        }
        self.stopped.forget(&[partition]);
        if self.paused {
            self.consumer.pause([partition])?;
        } else {
            self.consumer.resume([partition])?;
        }
        Ok(())
    }

    /// Gives partitions back when they are settled, or when there is no more time for that. What
    /// comes is taken when it was looked at.
    pub(super) fn answer_changes(&mut self, now: Instant) -> anyhow::Result<()> {
        while let Some(change) = self.consumer.change() {
            match change {
                Change::Revoked(partitions) => {
                    let by = *self.give_up_by.get_or_insert(now + FINISH);
                    let settled = |partition: &Partition| self.backlog.is_settled(*partition);
                    if !partitions.iter().all(settled) && !self.paused && now < by {
                        return Ok(());
                    }
                    self.give_up_by = None;
                    self.give_up(&partitions)?;
                    self.look_at = now;
                }
                Change::Assigned(partitions) if partitions.is_empty() => self.start(&[])?,
                Change::Assigned(_) => return Ok(()),
            }
        }
        Ok(())
    }

    fn give_up(&mut self, partitions: &[Partition]) -> anyhow::Result<()> {
        for partition in partitions {
            self.backlog.close(*partition);
            self.holds.remove(partition);
            self.newer.remove(partition);
            self.refused.remove(partition);
            // Its next reader tells how far behind it is.
            lag(*partition).set(0.0);
        }
        self.stopped.forget(partitions);
        self.consumer.give_up(partitions)?;
        tracing::info!(?partitions, "archive: partitions went to another reader");
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
    fn show_lag(&self, ranges: &Ranges) {
        for (partition, known) in self.backlog.known() {
            let range = ranges.iter().find(|(seen, _)| *seen == partition);
            if let Some((_, range)) = range {
                let next = known.next().max(range.start);
                let behind = range.end.raw().saturating_sub(next.raw()).max(0);
                lag(partition).set(behind as f64);
            }
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
    fn show_age(&self) {
        let age = self.backlog.oldest().map(|oldest| (self.sources.now)() - oldest);
        let seconds = age.map_or(0.0, |age| age.num_milliseconds() as f64 / 1000.0);
        ::metrics::gauge!(metrics::ARCHIVE_LAG_SECONDS).set(seconds);
    }
}

fn lag(partition: Partition) -> ::metrics::Gauge {
    ::metrics::gauge!(metrics::ARCHIVE_LAG_RECORDS, "partition" => partition.to_string())
}
