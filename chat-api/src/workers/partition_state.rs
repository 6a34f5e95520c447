//! Where a partition stands between its progress and the log.

use crate::archive::Progress;
use crate::kafka::Range;
use crate::message::{Partition, Position};

/// A partition, with what the archive and the log say of it at one moment.
#[derive(Debug, Clone, Copy)]
pub struct PartitionState {
    /// The partition.
    pub partition: Partition,
    /// Up to where the archive holds it.
    pub progress: Progress,
    /// What the log holds of it.
    pub range: Range,
}

impl PartitionState {
    /// Where to read on; nowhere if progress is no place in the log.
    #[must_use]
    pub fn begin(&self) -> Option<Position> {
        let Self { progress: Progress { position, lost }, range, .. } = *self;
        let next = position.next();
        let was_never_begun = position.is_before_generation();
        let is_in_log = was_never_begun || (range.start <= next && next <= range.end);
        (is_in_log && !lost).then(|| next.max(range.start))
    }

    /// What the log let go before it was stored, if it did so after the archive was begun.
    #[must_use]
    pub fn lost(&self) -> Option<Range> {
        let Self { progress, range, .. } = *self;
        let next = progress.position.next();
        let was_begun = !progress.position.is_before_generation();
        (was_begun && next < range.start).then_some(Range { start: next, end: range.start })
    }
}

#[cfg(test)]
#[path = "partition_state_tests.rs"]
mod tests;
