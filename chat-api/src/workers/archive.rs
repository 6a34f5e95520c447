//! Log → archive: a share of the partitions, as a member of a group.
//!
//! How far a partition is done stands in the archive, written after the documents. A new share is
//! read from there on, whatever the group's own offsets say; those follow only so that ordinary
//! tools can show the lag.
//!
//! Nothing is waited for in place: while one batch is written the next one is read, the group is
//! answered, and a partition whose dead letters are not taken holds up no other.

mod backlog;
mod done;
mod hold;
mod letters;
mod look;
mod newer;
mod refused;
mod share;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use service_process::sources::Sources;
use service_process::telemetry::TRACED;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Span, info_span};

use super::Stopped;
use crate::archive::{Archive, ArchiveError, Step};
use crate::kafka::{DeadLetters, GroupConsumer, Item};
use crate::message::{Partition, Position};
use crate::metrics;
use backlog::{BATCH_RECORDS, Backlog, LaneStep};
use done::{Done, Written};
use hold::{Hold, NewerAt};
use share::RETRY_AFTER;

/// Nothing more is read while this many events are not stored: one batch under way, and the next
/// one.
const UNSTORED: usize = 2 * BATCH_RECORDS;
/// Nor while dead letters hold this many bytes: a record may have a megabyte.
const DEAD_BYTES: usize = 8 << 20;
/// A write that takes longer does not keep the group waiting.
const SLOW: Duration = Duration::from_secs(1);
/// The shortest time between two writes of progress: each costs the database a commit of its own,
/// and the broker another. What progress lags behind is read again after a crash, and stored once
/// all the same.
const ADVANCE_EVERY: Duration = Duration::from_millis(100);
/// The longest sleep. There is always something to begin, or something under way, before.
const NAP: Duration = Duration::from_secs(10);

/// The reader that fills the archive.
pub struct ArchiveReader {
    consumer: GroupConsumer,
    archive: Archive,
    dead_letters: Arc<DeadLetters>,
    stopped: Stopped,
    sources: Sources,
    backlog: Backlog,
    /// Partitions of the share that are not read on for now.
    holds: BTreeMap<Partition, Hold>,
    /// Partitions of the share that end before a record of a later release.
    newer: BTreeMap<Partition, NewerAt>,
    /// Proposals that MongoDB did not take when they were read last.
    refused: BTreeMap<Partition, Position>,
    /// What is under way.
    work: FuturesUnordered<BoxFuture<'static, Done>>,
    under_way: UnderWay,
    /// The archive fails or is slow: nothing is read on until it takes something again.
    paused: bool,
    /// Nothing is written before this time.
    retry: Option<Instant>,
    /// Progress is not written before this time.
    advance_at: Instant,
    /// Progress fell: none is written before it was looked at.
    fallen: bool,
    /// When to look at progress and log.
    look_at: Instant,
    /// When partitions that are asked back are given up, settled or not.
    give_up_by: Option<Instant>,
    /// Nothing new is begun.
    finishing: bool,
}

/// What there is one of at a time.
#[derive(Debug, Default)]
struct UnderWay {
    /// A batch, since then.
    writing: Option<Instant>,
    advancing: bool,
    looking: bool,
}

impl ArchiveReader {
    /// A reader of what the group gives it.
    #[must_use]
    pub fn new(
        consumer: GroupConsumer,
        archive: Archive,
        dead_letters: DeadLetters,
        stopped: Stopped,
        sources: Sources,
    ) -> Self {
        Self {
            consumer,
            archive,
            dead_letters: Arc::new(dead_letters),
            stopped,
            sources,
            backlog: Backlog::default(),
            holds: BTreeMap::new(),
            newer: BTreeMap::new(),
            refused: BTreeMap::new(),
            work: FuturesUnordered::new(),
            under_way: UnderWay::default(),
            paused: false,
            retry: None,
            advance_at: Instant::now(),
            fallen: false,
            look_at: Instant::now(),
            give_up_by: None,
            finishing: false,
        }
    }

    /// Reads until it is stopped, then finishes what it holds and leaves the group. `abort` cuts the
    /// finishing short: what was not stored is read again.
    pub async fn run(
        mut self,
        stop: CancellationToken,
        abort: CancellationToken,
    ) -> anyhow::Result<()> {
        self.stopped.show();
        while !stop.is_cancelled() {
            let wake_at = self.wake_at();
            let has_room = self.has_room();
            tokio::select! {
                () = stop.cancelled() => {}
                () = self.consumer.changed() => self.look_at = Instant::now(),
                item = self.consumer.next(), if has_room => self.take(item?)?,
                Some(done) = self.work.next() => self.settle(done)?,
                () = tokio::time::sleep_until(wake_at) => {}
            }
            self.begin_what_is_due()?;
        }
        tokio::select! {
            () = abort.cancelled() => {}
            finished = self.finish() => finished?,
        }
        let Self { consumer, work, .. } = self;
        // A look that is under way holds on to the consumer.
        drop(work);
        tokio::task::spawn_blocking(move || drop(consumer)).await?;
        Ok(())
    }

    /// Stores what was read, as far as that is possible at once.
    async fn finish(&mut self) -> anyhow::Result<()> {
        self.finishing = true;
        self.begin_what_is_due()?;
        while let Some(done) = self.work.next().await {
            self.settle(done)?;
            if self.paused {
                break;
            }
            self.begin_what_is_due()?;
        }
        Ok(())
    }

    /// Whether to poll the log. A paused one is polled on: the group hears of its members that way.
    fn has_room(&self) -> bool {
        self.paused
            || (self.backlog.unstored() < UNSTORED && self.backlog.dead_bytes() < DEAD_BYTES)
    }

    fn take(&mut self, item: Item) -> anyhow::Result<()> {
        match item {
            Item::Event(event, trace) => {
                let span = trace.map_or_else(Span::none, |trace| trace.continued_by(span()));
                self.backlog.push(event, span, Instant::now());
            }
            Item::Newer { partition, position, newer } => {
                self.end_before(partition, position, newer.head)?;
            }
            Item::Undecodable(raw, reason) => self.backlog.push_dead(raw, reason.to_string()),
            Item::End(_) => {}
            Item::OutOfRange => self.look_at = Instant::now(),
            Item::Trouble(error) => tracing::warn!(%error, "archive: the log is in trouble"),
        }
        Ok(())
    }

    fn begin_what_is_due(&mut self) -> anyhow::Result<()> {
        let now = Instant::now();
        self.answer_changes(now)?;
        if !self.under_way.looking && !self.finishing && self.look_at <= now {
            self.begin_look(now);
        }
        self.begin_sending(now);
        if self.under_way.writing.is_some_and(|since| since + SLOW <= now) && !self.has_room() {
            self.pause()?;
        }
        if self.retry.is_some_and(|retry| now < retry) {
            return Ok(());
        }
        self.retry = None;
        let hurries = self.finishing || self.give_up_by.is_some();
        let is_due = |due: Instant| hurries || due <= now;
        if self.under_way.writing.is_none() && self.backlog.due().is_some_and(is_due) {
            self.begin_write(now);
        }
        if self.may_advance() && is_due(self.advance_at) {
            self.begin_advance(now);
        }
        let idle = self.under_way.writing.is_none() && !self.under_way.advancing;
        if self.paused && idle && !self.may_advance() {
            // What had failed was given up.
            self.resume()?;
        }
        Ok(())
    }

    /// When there is something to begin, if nothing comes about before.
    fn wake_at(&self) -> Instant {
        let now = Instant::now();
        let write_at = match self.under_way.writing {
            Some(since) => Some(since + SLOW).filter(|_| !self.has_room()),
            None => self.retry.or(self.backlog.due()),
        };
        let advance_at = self.may_advance().then(|| self.retry.unwrap_or(self.advance_at));
        let look_at = (!self.under_way.looking).then_some(self.look_at);
        let holds = self.holds.values().filter_map(|hold| match hold {
            Hold::DeadLetters { until, .. } => Some(*until).filter(|until| now < *until),
            Hold::Lost { .. } | Hold::Refused { .. } => None,
        });
        let times = [write_at, advance_at, look_at, self.give_up_by].into_iter().flatten();
        times.chain(holds).min().unwrap_or(now + NAP)
    }

    fn begin_write(&mut self, now: Instant) {
        self.under_way.writing = Some(now);
        let (tickets, batch, room_batch) = self.backlog.take();
        let archive = self.archive.clone();
        self.work.push(Box::pin(async move {
            let written = async {
                let mut held = archive.rooms.store(&room_batch).await?;
                for refusal in &mut held {
                    // Proposals come behind the messages.
                    refusal.index += batch.len();
                }
                let stored = archive.store(&batch).await?;
                Ok(Written { stored, held })
            };
            let written = written.await;
            Done::Written(tickets, written)
        }));
    }

    fn may_advance(&self) -> bool {
        !self.under_way.advancing && !self.fallen && self.backlog.has_moved()
    }

    fn begin_advance(&mut self, now: Instant) {
        let lane_steps = self.backlog.steps();
        if lane_steps.is_empty() {
            return;
        }
        self.advance_at = now + ADVANCE_EVERY;
        self.under_way.advancing = true;
        let steps: Vec<Step> = lane_steps.iter().map(|of_lane| of_lane.step).collect();
        let (archive, generation) = (self.archive.clone(), self.consumer.generation());
        self.work.push(Box::pin(async move {
            let advanced = archive.progress.advance(generation, &steps).await;
            Done::Advanced(lane_steps, advanced)
        }));
    }

    fn settle(&mut self, done: Done) -> anyhow::Result<()> {
        match done {
            Done::Written(tickets, written) => {
                self.under_way.writing = None;
                match written {
                    Ok(Written { stored, held }) => {
                        count(tickets.len());
                        for refusal in held {
                            self.hold_refused(tickets[refusal.index], &refusal.reason)?;
                        }
                        self.backlog.written(&tickets, stored);
                        self.resume()
                    }
                    Err(error) => {
                        self.backlog.failed(&tickets, Instant::now());
                        self.fail(&error)
                    }
                }
            }
            Done::Advanced(lane_steps, advanced) => {
                self.under_way.advancing = false;
                match advanced {
                    Ok(()) => {
                        self.backlog.advanced(&lane_steps);
                        self.commit_offsets(&lane_steps);
                        self.pass_refused(&lane_steps);
                        self.resume()
                    }
                    Err(ArchiveError::Fallen) => {
                        self.backlog.not_advanced();
                        self.fallen = true;
                        self.look_at = Instant::now();
                        Ok(())
                    }
                    Err(error) => {
                        self.backlog.not_advanced();
                        self.fail(&error)
                    }
                }
            }
            Done::Sent { batch, acknowledged, failure } => self.sent(&batch, acknowledged, failure),
            Done::Looked(look) => self.looked(look),
            Done::Marked(Ok(())) => Ok(()),
            // The next look tries again.
            Done::Marked(Err(error)) => {
                tracing::warn!(%error, "archive: progress is not marked as lost");
                Ok(())
            }
        }
    }

    /// Progress itself is kept with the documents: this is for people's tools.
    fn commit_offsets(&self, lane_steps: &[LaneStep]) {
        let done: Vec<_> =
            lane_steps.iter().map(|of_lane| (of_lane.step.partition, of_lane.step.to)).collect();
        if let Err(error) = self.consumer.commit(&done) {
            tracing::warn!(%error, "archive: the group was not told");
        }
    }

    fn fail(&mut self, error: &ArchiveError) -> anyhow::Result<()> {
        tracing::warn!(%error, waiting = self.backlog.unstored(), "archive: trying again");
        ::metrics::counter!(metrics::ARCHIVE_FAILURES).increment(1);
        self.retry = Some(Instant::now() + RETRY_AFTER);
        self.pause()
    }

    fn pause(&mut self) -> anyhow::Result<()> {
        if !std::mem::replace(&mut self.paused, true) {
            self.consumer.pause(self.backlog.known().map(|(partition, _)| partition))?;
        }
        Ok(())
    }

    fn resume(&mut self) -> anyhow::Result<()> {
        if std::mem::take(&mut self.paused) {
            self.retry = None;
            let share = self.backlog.known().map(|(partition, _)| partition);
            self.consumer.resume(share.filter(|partition| !self.is_held(*partition)))?;
            tracing::info!("archive: goes on");
        }
        Ok(())
    }
}

/// The span in which an event waits for its batch and is stored.
fn span() -> Span {
    info_span!(target: TRACED, "store", otel.kind = "consumer", outcome = Empty)
}

#[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
fn count(records: usize) {
    ::metrics::counter!(metrics::ARCHIVE_BATCHES).increment(1);
    ::metrics::counter!(metrics::ARCHIVE_DOCUMENTS).increment(records as u64);
    ::metrics::histogram!(metrics::ARCHIVE_BATCH_RECORDS).record(records as f64);
}
