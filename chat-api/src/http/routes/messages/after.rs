//! Waiting for the archive.

use std::time::Duration;

use tokio::time::timeout;

use crate::archive::Reader;
use crate::http::problem::Problem;
use crate::message::Cursor;
use crate::service::Service;

/// How long a request waits for the archive: many times what it lags when all is well.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Waits until this replica has read, and the archive holds, everything up to a cursor.
pub(super) async fn caught_up(
    service: &Service,
    reader: &Reader<'_>,
    cursor: Cursor,
) -> Result<(), Problem> {
    let (partition, position) = (cursor.partition, cursor.position);
    if service.hub.is_beyond(partition, position) {
        return Err(Problem::x_after_beyond_the_log());
    }
    // Begun before the hub is waited for, so that the archive has all of this time to answer.
    let mut archive = reader.wait(partition);
    let reached = async {
        service.hub.reached(partition, position.next()).await;
        archive.reached(position).await;
    };
    if timeout(LONGEST_WAIT, reached).await.is_ok() {
        return Ok(());
    }
    // Only of an archive that answers is it known that it is behind.
    Err(if archive.was_answered() { Problem::behind() } else { Problem::archive_unavailable() })
}
