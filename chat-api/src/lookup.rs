//! A message as it is now, found by its id: out of the archive, once that has what this replica has read.

use std::time::Duration;

use tokio::time::timeout;

use crate::archive::{History, ReadError, Reader, StoredMessage};
use crate::hub::Hub;
use crate::kafka::Partitioner;
use crate::message::{Cursor, MessageId, RoomId};

/// How long the archive is waited for: many times what it lags when all is well.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Looks for messages, for somebody who was admitted.
#[derive(Clone, Copy)]
pub struct Lookup<'a> {
    /// What this replica has read.
    pub hub: &'a Hub,
    /// Which partitions there are.
    pub partitioner: Partitioner,
    /// Reads the archive.
    pub reader: &'a Reader<'a>,
}

/// Why something is not known.
#[derive(Debug, thiserror::Error)]
pub enum LookupError {
    /// The archive does not have it yet.
    #[error("what was asked for is not stored yet")]
    Behind,
    /// The archive does not answer, so nobody knows whether it is behind.
    #[error("the history cannot be read at the moment")]
    Silent,
    /// The place lies beyond the end of the log.
    #[error("the cursor lies beyond the end of the log")]
    Beyond,
    /// The archive was not read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

impl Lookup<'_> {
    /// Waits until this replica has read, and the archive holds, everything up to a cursor.
    pub async fn caught_up(self, cursor: Cursor) -> Result<(), LookupError> {
        let Cursor { partition, position } = cursor;
        if self.hub.is_beyond(partition, position) {
            return Err(LookupError::Beyond);
        }
        // Begun before the hub is waited for, so that the archive has all of this time to answer.
        let mut archive = self.reader.wait(partition);
        let reached = async {
            self.hub.reached(partition, position.next()).await;
            archive.reached(position).await;
        };
        if timeout(LONGEST_WAIT, reached).await.is_ok() {
            return Ok(());
        }
        // Only of an archive that answers is it known that it is behind.
        Err(if archive.was_answered() { LookupError::Behind } else { LookupError::Silent })
    }

    /// The message of an id, in that room if one is named. What was read from the log and is not stored yet
    /// is waited for.
    pub async fn find(
        self,
        room: Option<&RoomId>,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, LookupError> {
        let history = History::of(self.reader);
        if let Some(found) = history.find(room, id).await? {
            return Ok(Some(found));
        }
        // An id does not tell its partition.
        let mut partitions = self.partitioner.all();
        let read = partitions.find_map(|partition| {
            let recalled = self.hub.recall(partition, id)?;
            Some(Cursor { partition, position: recalled.position })
        });
        let Some(cursor) = read else { return Ok(None) };
        self.caught_up(cursor).await?;
        Ok(history.find(room, id).await?)
    }

    /// The same, with everything that this replica has read of what was done to it.
    pub async fn find_current(
        self,
        room: Option<&RoomId>,
        id: MessageId,
    ) -> Result<Option<StoredMessage>, LookupError> {
        let Some(found) = self.find(room, id).await? else { return Ok(None) };
        let (event, room) = (&found.event, &found.event.envelope.room_id);
        let Some(last) = self.hub.last_about(event.partition, room, id, event.position) else {
            return Ok(Some(found));
        };
        if last <= found.changed.unwrap_or(event.position) {
            return Ok(Some(found));
        }
        self.caught_up(Cursor { partition: event.partition, position: last }).await?;
        Ok(History::of(self.reader).find(Some(room), id).await?)
    }
}
