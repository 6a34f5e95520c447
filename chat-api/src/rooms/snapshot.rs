//! A room as it is kept.

use crate::message::Position;

use super::fold::Verdict;
use super::state::RoomState;

/// A room as it is kept: the state after some proposal, and which of the proposals before count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomSnapshot {
    /// The room after the last proposal that was decided about.
    pub state: RoomState,
    /// Where that one stands; before all if there was none.
    pub upto: Position,
    /// Whatever the partition has up to here was decided about.
    pub complete: Position,
    /// From where on it is told which proposals count.
    pub from: Position,
    /// Where those stand, ascending.
    pub accepted: Vec<Position>,
}

impl RoomSnapshot {
    /// From where on proposals are still to be decided about.
    #[must_use]
    pub fn next(&self) -> Position {
        self.upto.max(self.complete).next()
    }

    /// Whether the proposal at a place that was decided about counts, if the place is one of those that were
    /// asked for.
    #[must_use]
    pub fn verdict(&self, position: Position) -> Option<Verdict> {
        if position < self.from {
            return None;
        }
        let counts = self.accepted.binary_search(&position).is_ok();
        Some(if counts { Verdict::Accepted } else { Verdict::Void })
    }
}
