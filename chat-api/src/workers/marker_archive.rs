//! Markers → archive: a share of the partitions, as a member of a group.
//!
//! A marker only goes forward, so what is stored twice or out of its order changes nothing: of many that one
//! person sets the last one is stored. How far a partition is done stands in the archive and is written after
//! the markers, so that an archive that was put back from a backup is filled up again.

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use crate::archive::{Archive, ArchiveError, Step};
use crate::kafka::{Change, LogError, MarkerItem, MarkerShare};
use crate::message::{DecodedMarker, Marker, Partition, Position, RoomId, UserId};
use crate::metrics;

/// A batch is written when it has this many markers …
const BATCH_MARKERS: usize = 1_000;
/// … or its first one has waited this long: who reads on sets some in a row.
const BATCH_AGE: Duration = Duration::from_millis(100);
/// How long to wait after a failure of the archive.
const RETRY_AFTER: Duration = Duration::from_millis(500);
/// The longest sleep.
const NAP: Duration = Duration::from_secs(10);
/// The topic has one generation.
const GENERATION: u16 = 0;

/// The reader that stores markers.
pub struct MarkerArchive {
    reader: MarkerShare,
    archive: Archive,
    lanes: BTreeMap<Partition, Lane>,
    waiting: HashMap<(UserId, RoomId), Position>,
    /// When to write what waits.
    write_at: Option<Instant>,
    /// When to ask the archive again for the share's progress.
    ask_at: Option<Instant>,
    /// The archive fails: nothing is read on until it takes what waits.
    paused: bool,
}

/// Where a partition is to be read.
#[derive(Clone, Copy)]
struct Place {
    partition: Partition,
    /// The progress that is stored.
    known: Position,
    next: Position,
}

impl Place {
    fn lane(self) -> Lane {
        Lane { known: self.known, last: self.next.previous() }
    }
}

/// What was read of one partition.
struct Lane {
    /// The progress that is stored.
    known: Position,
    /// What was read last.
    last: Position,
}

impl MarkerArchive {
    /// A reader of what the group gives it.
    #[must_use]
    pub fn new(reader: MarkerShare, archive: Archive) -> Self {
        Self {
            reader,
            archive,
            lanes: BTreeMap::new(),
            waiting: HashMap::new(),
            write_at: None,
            ask_at: None,
            paused: false,
        }
    }

    /// Reads until it is stopped, then stores what it holds and leaves the group. `abort` cuts that short:
    /// what was not stored is read again.
    pub async fn run(
        mut self,
        stop: CancellationToken,
        abort: CancellationToken,
    ) -> anyhow::Result<()> {
        while !stop.is_cancelled() {
            let now = Instant::now();
            let wake_at = [self.write_at, self.ask_at].into_iter().flatten().min();
            tokio::select! {
                () = stop.cancelled() => break,
                () = self.reader.share().changed() => self.ask_at = Some(now),
                item = self.reader.next() => self.take(item?),
                () = sleep_until(wake_at.unwrap_or(now + NAP)) => {}
            }
            let is_due = |due: Option<Instant>| due.is_some_and(|due| due <= Instant::now());
            if is_due(self.ask_at) {
                self.answer_changes().await?;
            }
            let is_full = self.waiting.len() >= BATCH_MARKERS && !self.paused;
            if is_full || is_due(self.write_at) {
                self.write().await?;
            }
        }
        tokio::select! {
            () = abort.cancelled() => {}
            written = self.write() => written?,
        }
        tokio::task::spawn_blocking(move || drop(self.reader)).await?;
        Ok(())
    }

    fn take(&mut self, item: MarkerItem) {
        let (partition, position, marker) = match item {
            MarkerItem::Record(partition, position, marker) => (partition, position, marker),
            MarkerItem::OutOfRange => {
                self.ask_at = Some(Instant::now());
                return;
            }
            MarkerItem::Trouble(error) => {
                tracing::warn!(%error, "archive of markers: the log is in trouble");
                return;
            }
        };
        // What was fetched of a partition that went to another reader is that one's.
        let Some(lane) = self.lanes.get_mut(&partition) else { return };
        lane.last = lane.last.max(position);
        let outcome = match marker {
            Ok(DecodedMarker::Known(Marker { room_id, user_id, position })) => {
                let latest = self.waiting.entry((user_id, room_id)).or_insert(position);
                *latest = position.max(*latest);
                metrics::TAKEN
            }
            Ok(DecodedMarker::Newer) => metrics::NEWER,
            // The fan-out of every replica says so.
            Err(_) => metrics::UNDECODABLE,
        };
        metrics::marker_read(metrics::ARCHIVE, outcome);
        let now = Instant::now();
        self.write_at.get_or_insert(now + BATCH_AGE);
    }

    /// Stores what waits, and how far its partitions are done. If the archive fails it waits on.
    async fn write(&mut self) -> anyhow::Result<()> {
        match self.store().await {
            Ok(steps) => {
                self.write_at = None;
                self.waiting.clear();
                let done: Vec<_> = steps.iter().map(|step| (step.partition, step.to)).collect();
                for step in steps {
                    if let Some(lane) = self.lanes.get_mut(&step.partition) {
                        lane.known = step.to;
                    }
                }
                // For people's tools only.
                if let Err(error) = self.reader.share().commit(&done) {
                    tracing::warn!(%error, "archive of markers: the group was not told");
                }
                self.resume()
            }
            // Somebody put an older state back: it is filled up from there.
            Err(ArchiveError::Fallen) => {
                self.write_at = None;
                self.look().await
            }
            Err(error) => {
                tracing::warn!(%error, waiting = self.waiting.len(), "archive of markers: trying again");
                ::metrics::counter!(metrics::ARCHIVE_FAILURES).increment(1);
                self.write_at = Some(Instant::now() + RETRY_AFTER);
                self.pause()
            }
        }
    }

    async fn store(&self) -> Result<Vec<Step>, ArchiveError> {
        let marker = |((user, room), position): (&(UserId, RoomId), &Position)| Marker {
            room_id: room.clone(),
            user_id: user.clone(),
            position: *position,
        };
        let markers: Vec<_> = self.waiting.iter().map(marker).collect();
        self.archive.markers.advance(&markers).await?;
        let step = |(partition, lane): (&Partition, &Lane)| {
            let Lane { known, last } = *lane;
            (last > known).then_some(Step { partition: *partition, from: known, to: last })
        };
        let steps: Vec<_> = self.lanes.iter().filter_map(step).collect();
        if !steps.is_empty() {
            self.archive.marker_progress.advance(GENERATION, &steps).await?;
        }
        Ok(steps)
    }

    /// Takes what comes into the share, and gives back what goes when what was read of it is stored, or
    /// cannot be.
    async fn answer_changes(&mut self) -> anyhow::Result<()> {
        self.ask_at = None;
        while let Some(change) = self.reader.share().change() {
            match change {
                Change::Revoked(partitions) => {
                    self.write().await?;
                    self.lanes.retain(|partition, _| !partitions.contains(partition));
                    self.reader.share().give_up(&partitions)?;
                }
                Change::Assigned(partitions) => {
                    let Some(places) = self.places(&partitions).await? else { return Ok(()) };
                    let next: Vec<_> =
                        places.iter().map(|place| (place.partition, place.next)).collect();
                    self.reader.share().start(&next)?;
                    for place in places {
                        self.lanes.insert(place.partition, place.lane());
                    }
                    // In the client library a pause outlives the share.
                    if self.paused {
                        self.reader.share().pause(partitions)?;
                    } else {
                        self.reader.share().resume(partitions)?;
                    }
                }
            }
        }
        // Of an answered change nothing is left to be seen; without one some place was not in the topic.
        self.look().await
    }

    /// Reads partitions anew whose place is not the one of their progress, or not in the topic.
    async fn look(&mut self) -> anyhow::Result<()> {
        let partitions: Vec<_> = self.lanes.keys().copied().collect();
        let Some(places) = self.places(&partitions).await? else { return Ok(()) };
        for place in places {
            let Place { partition, known, next } = place;
            let Some(lane) = self.lanes.get_mut(&partition) else { continue };
            if lane.known <= known && next <= lane.last.next() {
                continue;
            }
            let (was, next_offset) = (lane.last.offset(), next.offset());
            tracing::warn!(%partition, was, next_offset, "archive of markers: reads on from there");
            *lane = place.lane();
            self.reader.share().restart(partition, next)?;
        }
        Ok(())
    }

    /// Up to where partitions are stored: nothing of one whose progress is no place in the topic, which was
    /// made anew then. What it holds is the last of everybody, and storing it again does no harm. None if
    /// the archive or the log does not tell.
    async fn places(&mut self, partitions: &[Partition]) -> anyhow::Result<Option<Vec<Place>>> {
        match self.try_places(partitions).await {
            Ok(places) => Ok(Some(places)),
            Err(ProgressError::Log(error @ LogError::Died)) => Err(error.into()),
            Err(error) => {
                tracing::warn!(%error, "archive of markers: progress cannot be read");
                self.ask_at = Some(Instant::now() + RETRY_AFTER);
                Ok(None)
            }
        }
    }

    async fn try_places(&self, partitions: &[Partition]) -> Result<Vec<Place>, ProgressError> {
        if partitions.is_empty() {
            return Ok(Vec::new());
        }
        let store = &self.archive.marker_progress;
        let ranges = self.reader.share().ranges(partitions.to_vec()).await?;
        let progress = store.read(GENERATION, partitions).await?;
        let mut all = Vec::with_capacity(partitions.len());
        for ((partition, range), (_, progress)) in ranges.into_iter().zip(progress) {
            let (mut known, mut next) = (progress.position, progress.position.next());
            if next < range.start || range.end < next {
                store.forget(GENERATION, &[partition]).await?;
                (known, next) = (Position::BEFORE_ALL, range.start);
            }
            all.push(Place { partition, known, next });
        }
        Ok(all)
    }

    fn pause(&mut self) -> anyhow::Result<()> {
        if !std::mem::replace(&mut self.paused, true) {
            self.reader.share().pause(self.lanes.keys().copied())?;
        }
        Ok(())
    }

    fn resume(&mut self) -> anyhow::Result<()> {
        if std::mem::take(&mut self.paused) {
            self.reader.share().resume(self.lanes.keys().copied())?;
            tracing::info!("archive of markers: goes on");
        }
        Ok(())
    }
}

/// Why it is not known where to begin.
#[derive(Debug, thiserror::Error)]
enum ProgressError {
    #[error(transparent)]
    Log(#[from] LogError),
    #[error(transparent)]
    Archive(#[from] ArchiveError),
}
