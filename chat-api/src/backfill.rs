//! Pages below the rings' floors: read once, however many clients ask for them at the same time.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;

use crate::archive::{PAGE_BYTES, ReadError, Reader, Reads, Replay};
use crate::hub::{Entry, Frames, PIECE};
use crate::message::{Partition, Position, RoomId};
use crate::metrics;
use crate::visitor::Visitor;

/// Events per page, and [`PAGE_BYTES`] of them: a client that takes nothing holds one.
const PAGE: u16 = 200;
/// How long a page is kept for others who ask for it, for instance all who lost the same replica.
const KEPT: Duration = Duration::from_millis(500);
/// Bytes of all pages that are kept.
const CAPACITY: u64 = 64 * 1024 * 1024;

/// Some events of a room out of the archive, ready to be sent.
#[derive(Debug)]
pub struct OldPage {
    /// Its events in the order of the log, and what each goes onto a line with: at most [`PIECE`] bytes,
    /// unless one event is larger. There is at least one piece, and each begins where the one before ends.
    pub pieces: Vec<Frames>,
}

impl OldPage {
    /// A page of these events, from a place on; behind the last one there is nothing before `next`.
    #[must_use]
    pub fn new(from: Position, entries: &[Arc<Entry>], next: Position) -> Self {
        let (mut pieces, mut from, mut entries) = (Vec::new(), from, entries);
        loop {
            let mut bytes = 0;
            let mut fits = |entry: &Arc<Entry>| {
                bytes += entry.frame().len();
                bytes <= PIECE
            };
            let count = entries.iter().take_while(|entry| fits(entry)).count().max(1);
            let ended = entries.iter().take(count).position(|entry| entry.meta.ends.is_some());
            let count = ended.map_or(count, |last| last + 1).min(entries.len());
            let (piece, rest) = entries.split_at(count);
            let until = match (piece.last(), rest.is_empty()) {
                (Some(last), false) => last.position.next(),
                _ => next,
            };
            pieces.push(Frames::join(from, piece, until));
            if rest.is_empty() {
                return Self { pieces };
            }
            (from, entries) = (until, rest);
        }
    }

    /// Where to read on. Not beyond the place that was asked for if the archive is not as far yet.
    #[must_use]
    pub fn next(&self) -> Position {
        self.pieces.last().map_or(Position::BEFORE_ALL, |piece| piece.next)
    }
}

/// Reads pages out of the archive.
pub struct Backfill {
    reads: Arc<Reads>,
    pages: Cache<(RoomId, Position), Arc<OldPage>>,
}

impl Backfill {
    /// Pages out of that archive.
    #[must_use]
    pub fn new(reads: Arc<Reads>) -> Self {
        let size = |_: &(RoomId, Position), page: &Arc<OldPage>| {
            let bytes: usize = page.pieces.iter().map(|piece| piece.bytes.len() + 128).sum();
            u32::try_from(bytes).unwrap_or(u32::MAX)
        };
        let pages =
            Cache::builder().max_capacity(CAPACITY).weigher(size).time_to_live(KEPT).build();
        Self { reads, pages }
    }

    /// The events of a room from `next` on, a page of them. It is one read of this visitor, whoever else
    /// wants the same.
    pub async fn read(
        &self,
        visitor: &Visitor,
        partition: Partition,
        room: &RoomId,
        next: Position,
    ) -> Result<Arc<OldPage>, Arc<ReadError>> {
        let reader = self.reads.admit_visitor(visitor)?;
        // Boxed where it is awaited: of all who ask only one reads.
        let read =
            async { Box::pin(self.fetch(&reader, partition, room, next)).await.map(Arc::new) };
        self.pages.try_get_with((room.clone(), next), read).await
    }

    async fn fetch(
        &self,
        reader: &Reader<'_>,
        partition: Partition,
        room: &RoomId,
        next: Position,
    ) -> Result<OldPage, ReadError> {
        ::metrics::counter!(metrics::ARCHIVE_READS).increment(1);
        let replayed = Replay::of(reader).read(partition, room, next, PAGE).await?;
        let (mut entries, mut bytes, mut previous) = (Vec::new(), 0, None);
        let mut last = replayed.more_behind;
        for event in &replayed.events {
            let entry = Entry::of(event, previous);
            bytes += entry.frame().len();
            // Documents were counted before; in JSON they may be larger.
            if !entries.is_empty() && bytes > PAGE_BYTES {
                last = previous;
                break;
            }
            previous = Some(event.position);
            entries.push(Arc::new(entry));
        }
        Ok(OldPage::new(next, &entries, read_on(next, last, replayed.complete)))
    }
}

/// Where to read on after a page that was read from `next`: behind its last event if there may be more,
/// else behind all that the archive held.
pub(crate) fn read_on(next: Position, last: Option<Position>, progress: Position) -> Position {
    last.unwrap_or(progress).next().max(next)
}

#[cfg(test)]
#[path = "backfill_tests.rs"]
mod tests;
