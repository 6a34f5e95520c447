//! How far one room was sent to one client.

use crate::hub::Page;
use crate::message::Position;

/// How far one room was sent to one client.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place {
    next: Position,
    upto: Option<Position>,
}

/// Up to where a room's events were read from [`Place::next`] on, out of the ring or the archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadEnd {
    /// Where to read on: everything of the room before it was read.
    pub next: Position,
    /// The end of the partition when it was read.
    pub head: Position,
}

impl From<&Page> for ReadEnd {
    fn from(page: &Page) -> Self {
        Self { next: page.next, head: page.head }
    }
}

impl Place {
    /// The place of a client that has read up to `cursor`, or that wants to hear only what comes after
    /// the partition's present `head`.
    #[must_use]
    pub fn new(cursor: Option<Position>, head: Position) -> Self {
        Self { next: cursor.map_or(head, Position::next), upto: Some(head.previous()) }
    }

    /// Everything before was sent. Never falls.
    #[must_use]
    pub fn next(&self) -> Position {
        self.next
    }

    /// Notes that what was read up to there was sent. Once everything is sent that there was when the
    /// room was subscribed, and the place is known to lie in the log: up to where everything was sent.
    /// Nothing that was sent lies beyond it, so that a client may go on from there.
    pub fn sent(&mut self, read: ReadEnd) -> Option<Position> {
        self.next = self.next.max(read.next);
        let next = self.next;
        self.upto.take_if(|upto| *upto < next && next <= read.head)?;
        Some(next.previous())
    }
}
