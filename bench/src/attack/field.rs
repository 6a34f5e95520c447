//! Where the attack takes place, and against whom.

use tokio::time::Instant;

use super::ladder::Ladder;
use crate::caller::Networks;
use crate::line::Line;

/// How the account under attack is written.
pub(super) const VICTIM: &str = "victim";

/// Where the attack takes place.
pub(super) struct Field {
    pub(super) replicas: Vec<Line>,
    pub(super) networks: Networks,
    pub(super) ladder: Ladder,
    pub(super) start: Instant,
    pub(super) end: Instant,
}

impl Field {
    /// The `n`th replica, when they take turns.
    pub(super) fn replica(&self, n: u32) -> &Line {
        &self.replicas[n as usize % self.replicas.len()]
    }

    pub(super) fn is_over(&self) -> bool {
        Instant::now() >= self.end
    }
}
