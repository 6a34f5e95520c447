//! Waiting for the archive.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::Problem;
use crate::archive::{Archive, ArchiveError};
use crate::kafka::GENERATION;
use crate::message::Cursor;

/// How long a request waits for the archive: many times what it lags when all is well.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two looks at its progress, which may come about on another replica: as long as a batch
/// waits for more.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// Waits until the archive holds everything up to a cursor.
pub(super) async fn caught_up(archive: &Archive, cursor: Cursor) -> Result<(), Problem> {
    let reached = async {
        while archive.progress(GENERATION, cursor.partition).await? < cursor.position {
            sleep(LOOK_AGAIN).await;
        }
        Ok::<(), ArchiveError>(())
    };
    match timeout(PATIENCE, reached).await {
        Ok(reached) => reached.map_err(|error| unreadable(&error)),
        Err(_) => Err(Problem::behind()),
    }
}

/// What to answer when the archive failed.
pub(super) fn unreadable(error: &ArchiveError) -> Problem {
    tracing::warn!(%error, "history cannot be read");
    Problem::archive_unavailable()
}
