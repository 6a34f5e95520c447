//! Stores people whose tokens were seen, beside everything else: who signs in waits for nobody.

use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

use crate::archive::{ArchiveError, People};
use crate::metrics;
use crate::people::Person;

/// People in one command.
const BATCH: usize = 100;
/// Between two attempts to store some.
const AGAIN: Duration = Duration::from_secs(1);

/// Stores people.
pub struct PeopleWriter {
    /// Whoever is to be stored.
    pub queue: mpsc::Receiver<Person>,
    /// Where.
    pub people: People,
}

impl PeopleWriter {
    /// Stores people until it is stopped, each batch for as long as MongoDB takes to be there. Who still waits then
    /// shows a token to another replica.
    pub async fn run(mut self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                count = self.queue.recv_many(&mut batch, BATCH) => if count == 0 {
                    return Ok(());
                },
            }
            tokio::select! {
                () = stop.cancelled() => return Ok(()),
                () = self.store(&batch) => {}
            }
            batch.clear();
        }
    }

    async fn store(&self, batch: &[Person]) {
        let mut failures = 0_u32;
        let noted = loop {
            match self.people.note(batch).await {
                Ok(noted) => break noted,
                Err(error) => {
                    warn_once(failures, &error);
                    failures = failures.saturating_add(1);
                    sleep(AGAIN).await;
                }
            }
        };
        for (outcome, count) in [(metrics::STORED, noted.stored), (metrics::REFUSED, noted.refused)]
        {
            let count = u64::try_from(count).unwrap_or(u64::MAX);
            ::metrics::counter!(metrics::PEOPLE, "outcome" => outcome).increment(count);
        }
    }
}

/// One line for one outage.
fn warn_once(failures: u32, error: &ArchiveError) {
    if failures == 0 {
        tracing::warn!(%error, "archive: people are not stored, and are tried again");
    }
}
