//! Proposals that MongoDB does not take.
//!
//! Such a record cannot become a dead letter: fan-out has decided about it, and the two would come to
//! differ about the room. Its partition waits, and is read again from its progress on.

use std::time::Duration;

use tokio::time::Instant;

use super::ArchiveReader;
use super::backlog::{LaneStep, Ticket};
use super::hold::Hold;
use crate::workers::PartitionState;
use crate::workers::stopped::StopReason;

/// Between two attempts: what MongoDB has against it only an operator can change.
const REFUSED_AGAIN: Duration = Duration::from_secs(10);

impl ArchiveReader {
    /// Stops a partition before a proposal.
    pub(super) fn hold_refused(&mut self, ticket: Ticket, reason: &str) -> anyhow::Result<()> {
        let Some(known) = self.backlog.known_of(ticket) else { return Ok(()) };
        let Ticket { partition, position, .. } = ticket;
        self.backlog.stop(partition, known);
        self.newer.remove(&partition);
        self.hold(partition, Hold::Refused { until: Instant::now() + REFUSED_AGAIN })?;
        self.refused.insert(partition, position);
        self.stopped.at(partition, position, StopReason::Refused, &reason);
        Ok(())
    }

    /// Reads a partition again that waits. It counts as stopped until the proposal is stored.
    pub(super) fn read_refused_again(&mut self, state: PartitionState) -> anyhow::Result<()> {
        let PartitionState { partition, progress, .. } = state;
        let Some(next) = state.begin() else { return self.stop_lost(state) };
        self.holds.remove(&partition);
        self.backlog.open(partition, progress.position, next);
        self.consumer.restart(partition, next)?;
        if self.paused {
            self.consumer.pause([partition])?;
        } else {
            self.consumer.resume([partition])?;
        }
        Ok(())
    }

    /// Progress has come on, perhaps behind what was refused.
    pub(super) fn pass_refused(&mut self, steps: &[LaneStep]) {
        for step in steps.iter().map(|of_lane| of_lane.step) {
            let position = self.refused.get(&step.partition).copied();
            if position.is_some_and(|position| position <= step.to) {
                self.refused.remove(&step.partition);
                if !self.is_held(step.partition) {
                    self.stopped.forget(&[step.partition]);
                }
            }
        }
    }
}
