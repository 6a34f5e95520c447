//! What was read and is not settled yet.
//!
//! A record is settled when it is stored or stands among the dead letters. Both come about in any
//! order and at any time; a partition's progress is the end of its settled beginning.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use tokio::time::Instant;
use tracing::Span;

use crate::archive::{Batch, RoomBatch, Step, Stored};
use crate::kafka::Raw;
use crate::message::{Body, Event, Partition, Position};
use crate::metrics;

/// A batch is written when it has this many records …
pub(super) const BATCH_RECORDS: usize = 1_000;
/// … or its first one has waited this long.
const BATCH_AGE: Duration = Duration::from_millis(50);
/// What a record at hand costs beside its key and value: itself, allocations, headers.
const OVERHEAD: usize = 256;

/// What was read of a share of the partitions.
#[derive(Default)]
pub(super) struct Backlog {
    lanes: BTreeMap<Partition, Lane>,
    /// The events that no write has taken yet, oldest first, with the time they came.
    waiting: VecDeque<(Ticket, Instant)>,
    /// How many events a write has taken.
    writing: usize,
    /// How many dead letters there are, and how much memory they hold, in bytes.
    dead: usize,
    dead_bytes: usize,
    /// Whether something was settled since the last steps.
    moved: bool,
    lives: u64,
}

/// What was read of one partition.
struct Lane {
    /// Tells a lane from an earlier one of the same partition.
    life: u64,
    /// The progress that is stored.
    known: Position,
    /// What is to be read next; nothing of a partition that is stopped or ends.
    next: Option<Position>,
    /// Whether dead letters of it are under way. They go one batch after another, so that they keep
    /// their order.
    sending: bool,
    /// In the order of the log.
    records: VecDeque<Record>,
}

struct Record {
    position: Position,
    state: RecordState,
}

enum RecordState {
    /// For the archive, in a span that ends when it is stored.
    Event(Event, Span),
    /// Not for the archive.
    Dead(Arc<Letter>),
    Settled,
}

/// A record that cannot be stored.
#[derive(Debug)]
pub(super) struct Letter {
    /// [`metrics::UNDECODABLE`] or [`metrics::REFUSED`].
    pub(super) class: &'static str,
    /// Why it cannot be stored, for people.
    pub(super) reason: String,
    /// The record, if it is at hand; one that was read as an event, or has to wait, is not.
    pub(super) raw: Option<Raw>,
}

impl Record {
    fn letter(&self) -> Option<&Arc<Letter>> {
        match &self.state {
            RecordState::Dead(letter) => Some(letter),
            _ => None,
        }
    }
}

impl Letter {
    /// How much memory its record holds, in bytes.
    fn size(&self) -> usize {
        self.raw.as_ref().map_or(0, |raw| OVERHEAD + raw.size())
    }
}

/// Dead letters of one partition, on their way.
#[derive(Debug)]
pub(super) struct LetterBatch {
    life: u64,
    pub(super) partition: Partition,
    pub(super) letters: Vec<(Position, Arc<Letter>)>,
}

/// Names a record of the backlog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket {
    life: u64,
    pub(super) partition: Partition,
    pub(super) position: Position,
}

/// A step of the progress of one lane.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LaneStep {
    life: u64,
    pub(super) step: Step,
}

impl Backlog {
    /// Begins a partition, or begins it anew.
    pub(super) fn open(&mut self, partition: Partition, known: Position, next: Position) {
        self.begin(partition, known, Some(next));
    }

    /// Forgets what was read of a partition, and takes no more of it.
    pub(super) fn stop(&mut self, partition: Partition, known: Position) {
        self.begin(partition, known, None);
    }

    fn begin(&mut self, partition: Partition, known: Position, next: Option<Position>) {
        self.close(partition);
        self.lives += 1;
        let (life, records) = (self.lives, VecDeque::new());
        let lane = Lane { life, known, next, sending: false, records };
        self.lanes.insert(partition, lane);
    }

    /// Forgets a partition. What is under way for it comes to nothing here.
    pub(super) fn close(&mut self, partition: Partition) {
        let Some(lane) = self.lanes.remove(&partition) else { return };
        for letter in lane.records.iter().filter_map(Record::letter) {
            self.dead -= 1;
            self.dead_bytes -= letter.size();
        }
        self.waiting.retain(|(ticket, _)| ticket.life != lane.life);
    }

    /// Takes in a record that is to be stored. One of a partition that is not open, or of a place
    /// that was read before, changes nothing.
    pub(super) fn push(&mut self, event: Event, span: Span, now: Instant) {
        let (partition, position) = (event.partition, event.position);
        if let Some(ticket) = self.append(partition, position, RecordState::Event(event, span)) {
            self.waiting.push_back((ticket, now));
        }
    }

    /// Takes in a record that cannot be stored, likewise.
    pub(super) fn push_dead(&mut self, raw: Raw, reason: String) {
        let (partition, position) = (raw.partition, raw.position);
        let letter = Letter { class: metrics::UNDECODABLE, reason, raw: Some(raw) };
        let size = letter.size();
        if self.append(partition, position, RecordState::Dead(Arc::new(letter))).is_some() {
            self.dead += 1;
            self.dead_bytes += size;
        }
    }

    fn append(
        &mut self,
        partition: Partition,
        position: Position,
        state: RecordState,
    ) -> Option<Ticket> {
        let takes = |lane: &&mut Lane| lane.next.is_some_and(|next| next <= position);
        let lane = self.lanes.get_mut(&partition).filter(takes)?;
        lane.next = Some(position.next());
        lane.records.push_back(Record { position, state });
        Some(Ticket { life: lane.life, partition, position })
    }

    /// Ends a partition before a record: what was read of it is settled, and no more is taken. `false`
    /// if it ended before, or was read before.
    pub(super) fn end(&mut self, partition: Partition, before: Position) -> bool {
        let takes = |lane: &&mut Lane| lane.next.is_some_and(|next| next <= before);
        let Some(lane) = self.lanes.get_mut(&partition).filter(takes) else { return false };
        lane.next = None;
        true
    }

    /// The partitions that are open, with the progress that is stored for each.
    pub(super) fn known(&self) -> impl Iterator<Item = (Partition, Position)> {
        self.lanes.iter().map(|(partition, lane)| (*partition, lane.known))
    }

    /// What is to be read next of a partition.
    pub(super) fn next(&self, partition: Partition) -> Option<Position> {
        self.lanes.get(&partition)?.next
    }

    /// Whether nothing of a partition is left to do.
    pub(super) fn is_settled(&self, partition: Partition) -> bool {
        self.lanes.get(&partition).is_none_or(|lane| lane.records.is_empty())
    }

    /// How many events are not stored.
    pub(super) fn unstored(&self) -> usize {
        self.waiting.len() + self.writing
    }

    /// How much memory dead letters hold, in bytes.
    pub(super) fn dead_bytes(&self) -> usize {
        self.dead_bytes
    }

    /// When the oldest event that is not stored was said.
    pub(super) fn oldest(&self) -> Option<DateTime<Utc>> {
        let first = |lane: &Lane| {
            lane.records.iter().find_map(|record| match &record.state {
                RecordState::Event(event, _) => Some(event.envelope.timestamp),
                _ => None,
            })
        };
        self.lanes.values().filter_map(first).min()
    }

    /// When a batch is to be written; none if there is nothing to write.
    pub(super) fn due(&self) -> Option<Instant> {
        let (_, since) = self.waiting.front()?;
        let full = self.waiting.len() >= BATCH_RECORDS;
        Some(if full { *since } else { *since + BATCH_AGE })
    }

    /// Takes the next batch to be written: messages, and then proposals, which are stored by themselves.
    pub(super) fn take(&mut self) -> (Vec<Ticket>, Batch, RoomBatch) {
        let count = self.waiting.len().min(BATCH_RECORDS);
        let taken: Vec<_> = self.waiting.drain(..count).map(|(ticket, _)| ticket).collect();
        self.writing += taken.len();
        let is_proposal = |ticket: &Ticket| {
            let event = self.event(*ticket);
            event.is_some_and(|event| matches!(event.envelope.body, Body::Proposal(_)))
        };
        let (proposals, mut tickets): (Vec<_>, Vec<_>) = taken.into_iter().partition(is_proposal);
        let events = |tickets: &[Ticket]| {
            tickets.iter().filter_map(|ticket| self.event(*ticket)).collect::<Vec<_>>()
        };
        let batch = Batch::of(events(&tickets));
        let room_batch = RoomBatch::of(events(&proposals));
        debug_assert_eq!(batch.len(), tickets.len(), "only events of open lanes wait");
        tickets.extend(proposals);
        (tickets, batch, room_batch)
    }

    fn event(&self, ticket: Ticket) -> Option<&Event> {
        match &self.find(ticket)?.state {
            RecordState::Event(event, _) => Some(event),
            _ => None,
        }
    }

    /// The progress that is stored for the partition of a record, if that is at hand still.
    pub(super) fn known_of(&self, ticket: Ticket) -> Option<Position> {
        self.find(ticket)?;
        Some(self.lanes.get(&ticket.partition)?.known)
    }

    /// A batch was written.
    pub(super) fn written(&mut self, tickets: &[Ticket], stored: Stored) {
        self.writing -= tickets.len();
        let mut reasons: BTreeMap<_, _> =
            stored.refused.into_iter().map(|refusal| (refusal.index, refusal.reason)).collect();
        for (index, ticket) in tickets.iter().enumerate() {
            let Some(record) = self.find_mut(*ticket) else { continue };
            let reason = reasons.remove(&index);
            if let RecordState::Event(_, span) = &record.state {
                span.record("outcome", if reason.is_none() { "stored" } else { metrics::REFUSED });
            }
            match reason {
                None => {
                    record.state = RecordState::Settled;
                    self.moved = true;
                }
                Some(reason) => {
                    let letter = Letter { class: metrics::REFUSED, reason, raw: None };
                    record.state = RecordState::Dead(Arc::new(letter));
                    self.dead += 1;
                }
            }
        }
    }

    /// A batch was not written, and waits again.
    pub(super) fn failed(&mut self, tickets: &[Ticket], now: Instant) {
        self.writing -= tickets.len();
        for ticket in tickets.iter().rev() {
            if self.find(*ticket).is_some() {
                self.waiting.push_front((*ticket, now));
            }
        }
    }

    /// Takes dead letters that are to be sent: of each partition at most `limit`, and none while
    /// others of it are under way.
    pub(super) fn unsent(&mut self, limit: impl Fn(Partition) -> usize) -> Vec<LetterBatch> {
        if self.dead == 0 {
            return Vec::new();
        }
        let batch = |(partition, lane): (&Partition, &mut Lane)| {
            if lane.sending {
                return None;
            }
            let letters = lane.records.iter().filter_map(|record| {
                record.letter().map(|letter| (record.position, Arc::clone(letter)))
            });
            let letters: Vec<_> = letters.take(limit(*partition)).collect();
            lane.sending = !letters.is_empty();
            lane.sending.then_some(LetterBatch { life: lane.life, partition: *partition, letters })
        };
        self.lanes.iter_mut().filter_map(batch).collect()
    }

    /// The first `acknowledged` letters of a batch were acknowledged. If not all were, the log
    /// keeps the records of this partition for as long as it takes. `false` if nobody waits for
    /// them any more.
    pub(super) fn sent(&mut self, batch: &LetterBatch, acknowledged: usize) -> bool {
        let lane = self.lanes.get_mut(&batch.partition).filter(|lane| lane.life == batch.life);
        let Some(lane) = lane else { return false };
        lane.sending = false;
        let failed = acknowledged < batch.letters.len();
        let mut buried =
            batch.letters[..acknowledged].iter().map(|(position, _)| *position).peekable();
        for record in &mut lane.records {
            let RecordState::Dead(letter) = &mut record.state else { continue };
            if buried.next_if_eq(&record.position).is_some() {
                self.dead -= 1;
                self.dead_bytes -= letter.size();
                record.state = RecordState::Settled;
                self.moved = true;
            } else if failed && letter.raw.is_some() {
                self.dead_bytes -= letter.size();
                let (class, reason) = (letter.class, letter.reason.clone());
                *letter = Arc::new(Letter { class, reason, raw: None });
            }
        }
        true
    }

    /// Whether there may be steps to take.
    pub(super) fn has_moved(&self) -> bool {
        self.moved
    }

    /// How far each partition's progress may go, where that is further than what is stored.
    pub(super) fn steps(&mut self) -> Vec<LaneStep> {
        self.moved = false;
        let step = |(partition, lane): (&Partition, &Lane)| {
            let settled = |record: &&Record| matches!(record.state, RecordState::Settled);
            let last = lane.records.iter().take_while(settled).last()?;
            let step = Step { partition: *partition, from: lane.known, to: last.position };
            Some(LaneStep { life: lane.life, step })
        };
        self.lanes.iter().filter_map(step).collect()
    }

    /// These steps are stored.
    pub(super) fn advanced(&mut self, steps: &[LaneStep]) {
        for LaneStep { life, step } in steps {
            let lane = self.lanes.get_mut(&step.partition);
            let Some(lane) = lane.filter(|lane| lane.life == *life) else { continue };
            let left = lane.records.iter().position(|record| record.position > step.to);
            lane.records.drain(..left.unwrap_or(lane.records.len()));
            lane.known = step.to;
        }
    }

    /// Steps are to be taken again.
    pub(super) fn not_advanced(&mut self) {
        self.moved = true;
    }

    fn find(&self, ticket: Ticket) -> Option<&Record> {
        let lane = self.lanes.get(&ticket.partition).filter(|lane| lane.life == ticket.life)?;
        let place = lane.records.binary_search_by_key(&ticket.position, |record| record.position);
        lane.records.get(place.ok()?)
    }

    fn find_mut(&mut self, ticket: Ticket) -> Option<&mut Record> {
        let lane = self.lanes.get_mut(&ticket.partition).filter(|lane| lane.life == ticket.life)?;
        let place = lane.records.binary_search_by_key(&ticket.position, |record| record.position);
        lane.records.get_mut(place.ok()?)
    }
}

#[cfg(test)]
#[path = "backlog_tests.rs"]
mod tests;
