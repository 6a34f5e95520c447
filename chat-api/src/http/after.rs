//! Waiting for the archive.

use std::time::Duration;

use tokio::time::timeout;

use super::Problem;
use crate::archive::Reader;
use crate::message::Cursor;
use crate::service::Service;

/// How long a request waits for the archive: many times what it lags when all is well.
const PATIENCE: Duration = Duration::from_secs(2);

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
    let reached = async {
        service.hub.reached(partition, position.next()).await;
        reader.reached(partition, position).await;
    };
    timeout(PATIENCE, reached).await.map_err(|_| Problem::behind())
}
