//! Dead letters on their way.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::ArchiveReader;
use super::backlog::LetterBatch;
use super::done::Done;
use super::hold::Hold;
use crate::kafka::{LogError, NewDeadLetter};
use crate::metrics;
use crate::workers::stopped::StopReason;

/// The most letters of a partition that are under way at once.
const LETTERS_AT_ONCE: usize = 100;

/// How long to wait after the first failure of the dead letters …
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// … and after many.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

impl ArchiveReader {
    pub(super) fn begin_sending(&mut self, now: Instant) {
        let holds = &self.holds;
        // After a failure one tries for all.
        let limit = |partition| match holds.get(&partition) {
            Some(Hold::DeadLetters { until, .. }) => usize::from(*until <= now),
            _ => LETTERS_AT_ONCE,
        };
        for batch in self.backlog.unsent(limit) {
            let dead_letters = Arc::clone(&self.dead_letters);
            self.work.push(Box::pin(async move {
                let letters = batch.letters.iter().map(|(position, letter)| NewDeadLetter {
                    position: *position,
                    reason: &letter.reason,
                    raw: letter.raw.as_ref(),
                });
                let letters: Vec<_> = letters.collect();
                let (acknowledged, failure) = dead_letters.put_all(batch.partition, &letters).await;
                Done::Sent { batch, acknowledged, failure }
            }));
        }
    }

    pub(super) fn sent(
        &mut self,
        batch: &LetterBatch,
        acknowledged: usize,
        failure: Option<LogError>,
    ) -> anyhow::Result<()> {
        let partition = batch.partition;
        for (position, letter) in &batch.letters[..acknowledged] {
            let (offset, reason) = (position.offset(), &letter.reason);
            tracing::warn!(%partition, offset, reason, "a record became a dead letter");
            let labels = [("reason", letter.class)];
            ::metrics::counter!(metrics::DEAD_LETTERS, &labels).increment(1);
        }
        if !self.backlog.sent(batch, acknowledged) {
            return Ok(());
        }
        let held = match self.holds.get(&partition) {
            Some(Hold::DeadLetters { wait, .. }) => Some(*wait),
            _ => None,
        };
        let Some(error) = failure else {
            return if held.is_some() { self.release_hold(partition) } else { Ok(()) };
        };
        let wait = held.map_or(FIRST_WAIT, |wait| (wait * 2).min(LONGEST_WAIT));
        self.hold(partition, Hold::DeadLetters { until: Instant::now() + wait, wait })?;
        let position = batch.letters[acknowledged].0;
        let reason = format!("the dead letters do not take it: {error}");
        self.stopped.at(partition, position, StopReason::DeadLetters, &reason);
        Ok(())
    }
}
