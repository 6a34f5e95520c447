//! Which ids a partition held lately: deduplication without a cache.
//!
//! A sender that repeats itself with a key can leave one id in the log more than once. A record is a
//! repeat if its id occurs, itself a repeat or not, within [`SPAN`] offsets before it. Same log, same
//! rule: every replica decides alike, whenever it began to read, as long as it began [`SPAN`] offsets
//! before its first decision.

use std::collections::{HashMap, VecDeque};

use crate::message::{BodyHash, MessageId, Position};

/// How many offsets before a record are looked at.
pub const SPAN: i64 = 10_000;

/// The ids of the last offsets of one partition.
pub struct Window {
    span: i64,
    seen: HashMap<MessageId, Seen>,
    /// Every record of the span, oldest first.
    order: VecDeque<(Position, MessageId)>,
}

struct Seen {
    original: Recalled,
    last: Position,
}

/// The record that counts among all of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recalled {
    /// Its place in the partition.
    pub position: Position,
    /// What its sender's key was used for, if there was a key.
    pub body_hash: Option<BodyHash>,
}

impl Window {
    /// An empty window over that many offsets.
    #[must_use]
    pub fn new(span: i64) -> Self {
        Self { span, seen: HashMap::new(), order: VecDeque::new() }
    }

    /// Takes in the next record; whether it is the first of its id.
    pub fn note(&mut self, record: Recalled, id: MessageId) -> bool {
        let position = record.position;
        if self.order.back().is_some_and(|(last, _)| position <= *last) {
            // Read before.
            return false;
        }
        self.forget_before(position.raw() - self.span);
        self.order.push_back((position, id));
        if let Some(seen) = self.seen.get_mut(&id) {
            seen.last = position;
            return false;
        }
        self.seen.insert(id, Seen { original: record, last: position });
        true
    }

    /// The record that counts of an id, if the id occurred in the span.
    #[must_use]
    pub fn recall(&self, id: MessageId) -> Option<Recalled> {
        self.seen.get(&id).map(|seen| seen.original)
    }

    fn forget_before(&mut self, oldest: i64) {
        while let Some((position, id)) = self.order.front().copied() {
            if position.raw() >= oldest {
                return;
            }
            self.order.pop_front();
            // A later repeat keeps the id.
            if self.seen.get(&id).is_some_and(|seen| seen.last == position) {
                self.seen.remove(&id);
            }
        }
    }
}

#[cfg(test)]
#[path = "window_tests.rs"]
mod tests;
