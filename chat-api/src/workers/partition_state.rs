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
mod tests {
    use super::*;

    fn begin(position: i64, lost: bool, start: i64, end: i64) -> Option<i64> {
        let at = |raw| Position::from_raw(raw).unwrap();
        let state = PartitionState {
            partition: Partition::from_number(0).unwrap(),
            progress: Progress { position: at(position), lost },
            range: Range { start: at(start), end: at(end) },
        };
        state.begin().map(Position::raw)
    }

    #[test]
    fn reading_goes_on_right_after_progress_or_not_at_all() {
        assert_eq!(begin(-1, false, 0, 0), Some(0));
        assert_eq!(begin(-1, false, 7, 9), Some(7), "never begun: at the start of the log");
        assert_eq!(begin(4, false, 0, 9), Some(5));
        assert_eq!(begin(8, false, 0, 9), Some(9), "nothing is left to read");
        assert_eq!(begin(6, false, 7, 9), Some(7));
        assert_eq!(begin(5, false, 7, 9), None, "the log was cut behind progress");
        assert_eq!(begin(9, false, 0, 9), None, "the log is another one");
        assert_eq!(begin(9, true, 0, 99), None, "it stays lost when the log grows past it");
    }
}
