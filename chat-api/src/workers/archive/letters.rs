//! Dead letters on their way.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::Instant;

use super::backlog::{Letter, Ticket};
use super::{ArchiveReader, Done, Hold};
use crate::kafka::LogError;
use crate::metrics;

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
            _ => usize::MAX,
        };
        for (ticket, letter) in self.backlog.unsent(limit) {
            self.under_way.sending += letter.size();
            let dead_letters = Arc::clone(&self.dead_letters);
            self.work.push(Box::pin(async move {
                let Ticket { partition, position, .. } = ticket;
                let sent = match &letter.raw {
                    Some(raw) => dead_letters.put(raw, &letter.reason).await,
                    None => dead_letters.put_again(partition, position, &letter.reason).await,
                };
                Done::Sent(ticket, letter, sent)
            }));
        }
    }

    pub(super) fn sent(
        &mut self,
        ticket: Ticket,
        letter: &Letter,
        sent: Result<(), LogError>,
    ) -> anyhow::Result<()> {
        let Ticket { partition, position, .. } = ticket;
        self.under_way.sending -= letter.size();
        let Err(error) = sent else {
            let (offset, reason) = (position.offset(), &letter.reason);
            tracing::warn!(%partition, offset, reason, "a record became a dead letter");
            let labels = [("reason", letter.class)];
            ::metrics::counter!(metrics::DEAD_LETTERS, &labels).increment(1);
            self.backlog.buried(ticket);
            if matches!(self.holds.get(&partition), Some(Hold::DeadLetters { .. })) {
                self.let_go(partition)?;
            }
            return Ok(());
        };
        if !self.backlog.unburied(ticket) {
            return Ok(());
        }
        let now = Instant::now();
        let wait = match self.holds.get(&partition) {
            // Another of its records failed at the same time.
            Some(Hold::DeadLetters { until, .. }) if now < *until => return Ok(()),
            Some(Hold::DeadLetters { wait, .. }) => (*wait * 2).min(LONGEST_WAIT),
            _ => FIRST_WAIT,
        };
        self.hold(partition, Hold::DeadLetters { until: now + wait, wait })?;
        self.stopped.at(partition, position, &format!("the dead letters do not take it: {error}"));
        Ok(())
    }
}
