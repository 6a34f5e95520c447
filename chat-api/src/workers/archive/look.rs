//! One look at progress and log.

use crate::archive::{ArchiveError, Progress};
use crate::kafka::{LogError, Ranges};
use crate::message::{Partition, Position};

/// What was seen of some partitions.
pub(super) struct Look {
    /// How the share stood before it was looked at.
    pub(super) before: Vec<Before>,
    pub(super) ranges: Result<Ranges, LogError>,
    pub(super) progress: Result<Vec<(Partition, Progress)>, ArchiveError>,
}

/// How a partition stood.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before {
    pub(super) partition: Partition,
    /// The progress that was known to be stored.
    pub(super) known: Position,
    /// What was to be read next.
    pub(super) next: Option<Position>,
}
