//! Lines that wait for the database.

use std::time::Duration;

use anyhow::anyhow;
use service_process::lifecycle::Tasks;
use tokio::sync::mpsc;
use tokio::time::sleep;
use tracing::{error, warn};

use crate::audit::Entry;
use crate::metrics::AUDIT_FAILURES;
use crate::store::{Store, StoreError};

/// Lines that wait for the database, about 300 bytes each. At the 100 lines a second of a replica whose
/// processors do nothing but hash and refuse, an outage of a minute and a half loses none.
const MOST_WAITING: usize = 10_000;

/// Lines that are written at once. One statement of a hundred lines takes a few milliseconds, and
/// writes more than all else that a replica does can yield.
const AT_ONCE: usize = 100;

/// The pause before lines are tried again that could not be written, and how long a try is still waited
/// for when the process leaves.
const PAUSE: Duration = Duration::from_millis(500);

/// Takes lines and has them written, by one statement at a time whatever comes: it takes one connection.
#[derive(Debug)]
pub(super) struct Queue {
    lines: mpsc::Sender<Entry>,
}

impl Queue {
    /// Starts to write. Ends when this is dropped and what was taken is written, or when the process
    /// leaves.
    pub(super) fn start(store: Store, tasks: &Tasks) -> Self {
        let (lines, taken) = mpsc::channel(MOST_WAITING);
        let of_task = tasks.clone();
        tasks.spawn(async move { write_all(&store, taken, &of_task).await });
        Self { lines }
    }

    /// Takes a line. One for which there is no room raises an alarm and changes nothing else.
    pub(super) fn add(&self, entry: Entry) {
        if let Err(no_room) = self.lines.try_send(entry) {
            lost(&no_room.into_inner(), "too many lines wait for the database");
        }
    }
}

async fn write_all(store: &Store, mut taken: mpsc::Receiver<Entry>, tasks: &Tasks) {
    let mut lines = Vec::with_capacity(AT_ONCE);
    let mut too_late = false;
    while taken.recv_many(&mut lines, AT_ONCE).await > 0 {
        let written =
            if too_late { Err(StoreError::TimedOut) } else { write(store, &lines, tasks).await };
        match written {
            Ok(()) => {}
            // One that the database refuses does not keep the others out.
            Err(error) if lines.len() > 1 && error.is_refusal() => {
                for line in lines.chunks(1) {
                    if let Err(error) = write(store, line, tasks).await {
                        all_lost(line, error);
                    }
                }
            }
            Err(error) => {
                // There is no time to wait for each: those that are left are told at once.
                too_late = tasks.aborting().is_cancelled() && !error.is_refusal();
                all_lost(&lines, error);
            }
        }
        lines.clear();
    }
}

/// Writes lines, again and again while the database does not answer. A line that was written by a try
/// whose answer was lost is not written twice.
async fn write(store: &Store, lines: &[Entry], tasks: &Tasks) -> Result<(), StoreError> {
    let mut waits = false;
    loop {
        let given_up = async {
            tasks.aborting().cancelled().await;
            sleep(PAUSE).await;
        };
        let written = tokio::select! {
            biased;
            written = store.record_all(lines) => written,
            () = given_up => Err(StoreError::TimedOut),
        };
        let Err(error) = written else { return Ok(()) };
        let leaving = || tasks.aborting().run_until_cancelled(sleep(PAUSE));
        if error.is_refusal() || leaving().await.is_none() {
            return Err(error);
        }
        if !waits {
            waits = true;
            warn!(
                error = format!("{:#}", anyhow!(error)),
                "the audit trail waits for the database"
            );
        }
    }
}

fn all_lost(lines: &[Entry], error: StoreError) {
    let reason = format!("{:#}", anyhow!(error));
    for entry in lines {
        lost(entry, &reason);
    }
}

fn lost(entry: &Entry, reason: &str) {
    metrics::counter!(AUDIT_FAILURES).increment(1);
    error!(event = entry.event.name(), id = %entry.id, error = reason, "audit line lost");
}
