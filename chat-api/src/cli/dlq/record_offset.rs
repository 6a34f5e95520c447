//! Places of records, as people read and type them.

use std::fmt;

use crate::kafka::Origin;
use crate::message::{Partition, Position};

/// The partition and the offset of a record, as `dlq` shows and takes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RecordOffset {
    pub(super) partition: Partition,
    pub(super) position: Position,
}

impl RecordOffset {
    /// Of a text such as `3:4711`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let parse = || {
            let (partition, offset) = text.split_once(':')?;
            Some(Self { partition: partition_of(partition)?, position: position_of(offset)? })
        };
        parse().ok_or_else(|| "expected partition and offset, such as 3:4711".to_owned())
    }

    /// Where the record of a dead letter stood.
    pub(super) fn of(origin: &Origin) -> Self {
        Self { partition: origin.partition, position: origin.position }
    }
}

impl fmt::Display for RecordOffset {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.partition, self.position.offset())
    }
}

fn partition_of(text: &str) -> Option<Partition> {
    Partition::from_number(text.parse().ok()?).ok()
}

fn position_of(text: &str) -> Option<Position> {
    // Of whichever generation: the topic beside it tells.
    Position::new(0, text.parse().ok()?).ok()
}

/// The number of a partition.
pub(super) fn partition(text: &str) -> Result<Partition, String> {
    partition_of(text).ok_or_else(|| "expected the number of a partition, such as 3".to_owned())
}

/// An offset, of whichever generation.
pub(super) fn position(text: &str) -> Result<Position, String> {
    position_of(text).ok_or_else(|| "expected an offset, such as 4711".to_owned())
}
