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
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn id(number: u8) -> MessageId {
        MessageId::new(chrono::DateTime::UNIX_EPOCH, [number; 10])
    }

    fn at(raw: i64) -> Recalled {
        Recalled { position: Position::from_raw(raw).unwrap(), body_hash: None }
    }

    /// The rule as it is written, on the whole log.
    fn is_first(log: &[(i64, u8)], index: usize, span: i64) -> bool {
        let (offset, id) = log[index];
        !log[..index].iter().any(|(earlier, other)| *other == id && *earlier >= offset - span)
    }

    #[test]
    fn the_decision_is_that_of_the_rule_wherever_reading_began_a_span_before() {
        const SPAN: i64 = 4;
        // Every log of seven records with three ids, in offsets with a hole.
        let offsets = [0, 1, 2, 3, 5, 6, 9];
        for code in 0..3_u32.pow(7) {
            let ids = (0..7).map(|place| u8::try_from(code / 3_u32.pow(place) % 3).unwrap());
            let log: Vec<(i64, u8)> = offsets.into_iter().zip(ids).collect();
            for begin in 0..log.len() {
                let mut window = Window::new(SPAN);
                for (index, (offset, number)) in log.iter().enumerate().skip(begin) {
                    let first = window.note(at(*offset), id(*number));
                    if *offset >= log[begin].0 + SPAN || begin == 0 {
                        assert_eq!(first, is_first(&log, index, SPAN), "{log:?} from {begin}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_window_holds_its_span_and_no_more() {
        let mut window = Window::new(100);
        for raw in 0..10_000_u32 {
            let mut bytes = [0; 10];
            bytes[..4].copy_from_slice(&raw.to_be_bytes());
            window.note(at(raw.into()), MessageId::new(chrono::DateTime::UNIX_EPOCH, bytes));
        }
        assert_eq!(window.order.len(), 101);
        assert_eq!(window.seen.len(), 101);
        assert_eq!(window.seen.keys().collect::<HashSet<_>>().len(), 101);
    }

    #[test]
    fn the_first_record_of_an_id_is_the_one_that_is_recalled() {
        let mut window = Window::new(10);
        assert!(window.note(at(0), id(1)));
        assert!(!window.note(at(9), id(1)));
        assert!(!window.note(at(18), id(1)), "a dropped repeat counts too");
        assert_eq!(window.recall(id(1)), Some(at(0)));
        assert_eq!(window.recall(id(2)), None);
        assert!(!window.note(at(18), id(2)), "a place that was read changes nothing");
        window.note(at(29), id(2));
        assert_eq!(window.recall(id(1)), None);
    }
}
