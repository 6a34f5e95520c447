//! Proposals of one partition, for rooms that are loaded later.

use std::collections::VecDeque;
use std::sync::Arc;

use crate::message::{Event, Position, RoomId, UserId};
use crate::rooms::Verdict;

/// What a proposal takes beside its texts, in bytes: the event, what it proposes, and its place here.
const OVERHEAD: usize = 512;

/// The last proposals of one partition, bounded in bytes.
///
/// It has every proposal of `floor ≤ position < head`, whether or not its room was loaded when it came. What
/// is below the floor is decided about by the archive alone.
#[derive(Debug)]
pub(super) struct Proposals {
    /// In the order of their positions.
    all: VecDeque<Kept>,
    floor: Position,
    bytes: usize,
    limit: usize,
}

/// A proposal, and whether it counts, if its room was known when that was decided.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) event: Arc<Event>,
    pub(super) verdict: Option<Verdict>,
}

impl Proposals {
    /// None, of a partition that is read from there on; at most so many bytes of them.
    pub(super) fn new(start: Position, limit: usize) -> Self {
        Self { all: VecDeque::new(), floor: start, bytes: 0, limit }
    }

    /// Adds the next one, and lets the oldest ones go if need be: never one whose place the ring still
    /// holds, which begins at `ring`.
    pub(super) fn push(&mut self, event: Arc<Event>, verdict: Option<Verdict>, ring: Position) {
        self.bytes += bytes(&event);
        self.all.push_back(Kept { event, verdict });
        while self.bytes > self.limit
            && let Some(oldest) = self.all.pop_front_if(|oldest| oldest.event.position < ring)
        {
            self.bytes -= bytes(&oldest.event);
            self.floor = oldest.event.position.next();
        }
    }

    /// Every proposal of the partition is here from there on.
    pub(super) fn floor(&self) -> Position {
        self.floor
    }

    /// Those of a room, in the order of the log.
    pub(super) fn of<'a>(&'a mut self, room: &'a RoomId) -> impl Iterator<Item = &'a mut Kept> {
        self.all.iter_mut().filter(move |kept| kept.event.envelope.room_id == *room)
    }

    /// The rooms that somebody may have come into by them, the latest first.
    pub(super) fn rooms_of<'a>(&'a self, person: &'a UserId) -> impl Iterator<Item = &'a RoomId> {
        let all = self.all.iter().rev().map(|kept| &kept.event.envelope);
        all.filter(move |envelope| {
            let proposal = envelope.body.proposal();
            envelope.user_id == *person
                || proposal.and_then(|proposal| proposal.change.subject()) == Some(person)
        })
        .map(|envelope| &envelope.room_id)
    }

    /// Whether the one at a place counts, if that is known.
    pub(super) fn verdict(&self, position: Position) -> Option<Verdict> {
        let place = self.all.binary_search_by_key(&position, |kept| kept.event.position).ok()?;
        self.all[place].verdict
    }
}

fn bytes(event: &Event) -> usize {
    OVERHEAD + event.envelope.json_bytes()
}

#[cfg(test)]
#[path = "proposals_tests.rs"]
mod tests;
