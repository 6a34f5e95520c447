//! Partitions that wait for a later release of this program.
//!
//! A record that only a later release understands is neither stored nor passed over: what it says may
//! change what comes after it. Its partition ends before it. Whoever takes the partition next begins
//! there; if that is a later release, it goes on.

use super::ArchiveReader;
use super::hold::NewerAt;
use crate::message::{Head, Partition, Position};
use crate::workers::stopped::StopReason;

impl ArchiveReader {
    /// Reads a partition up to a record, and no further.
    pub(super) fn end_before(
        &mut self,
        partition: Partition,
        position: Position,
        head: Head,
    ) -> anyhow::Result<()> {
        if !self.backlog.end(partition, position) {
            return Ok(());
        }
        self.newer.insert(partition, NewerAt { position, head });
        self.show_newer(partition);
        Ok(self.consumer.pause([partition])?)
    }

    /// Says what a partition waits for; `false` if it waits for nothing.
    pub(super) fn show_newer(&mut self, partition: Partition) -> bool {
        let Some(NewerAt { position, head }) = self.newer.get(&partition) else { return false };
        let reason = format!("a later release wrote it ({head}); this one waits for an upgrade");
        self.stopped.at(partition, *position, StopReason::Newer, &reason);
        true
    }

    /// Whether a partition is not read on, for whatever reason.
    pub(super) fn is_held(&self, partition: Partition) -> bool {
        self.holds.contains_key(&partition) || self.newer.contains_key(&partition)
    }
}
