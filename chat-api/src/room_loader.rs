//! Rooms, as whoever asks about them wants them known: loaded out of the archive once, however many ask at
//! the same time.

use std::sync::Arc;
use std::time::Duration;

use moka::future::Cache;
use tokio::time::timeout;

use crate::archive::{ReadError, Reader, Reads, RoomSnapshots};
use crate::hub::{Hub, Known, NotLoaded};
use crate::kafka::Partitioner;
use crate::message::{Event, Partition, RoomId, UserId};
use crate::metrics;
use crate::rooms::Access;
use crate::visitor::Visitor;

/// How long this replica may take to read what the archive has already.
const LONGEST_WAIT: Duration = Duration::from_secs(2);
/// A room that is let go as soon as it is loaded is loaded again so often.
const ATTEMPTS: usize = 2;

/// Why nothing is known of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RoomError {
    /// This replica or the archive is behind the other.
    #[error("what is known of this room is not read yet")]
    Behind,
    /// A record changed it in a way that this release does not understand.
    #[error("this room waits for an upgrade of the service")]
    Unloaded,
    /// This person reads too much in a short time, or the guests of this network do.
    #[error("too many reads of one person or network in a short time")]
    TooFast,
    /// As much is read already as there are connections for.
    #[error("too many reads are under way")]
    Busy,
    /// The archive cannot be read.
    #[error("what is known of this room cannot be read")]
    Unavailable,
}

/// Loads rooms into the hub.
pub struct RoomLoader {
    reads: Arc<Reads>,
    hub: Arc<Hub>,
    partitioner: Partitioner,
    /// Loads that are under way.
    loads: Cache<RoomId, ()>,
}

impl RoomLoader {
    /// Out of that archive into that hub.
    #[must_use]
    pub fn new(reads: Arc<Reads>, hub: Arc<Hub>, partitioner: Partitioner) -> Self {
        Self { reads, hub, partitioner, loads: Cache::builder().build() }
    }

    /// What a person may do in a room, as of where this replica has read to. If the room is not known here,
    /// it is loaded, which is one read of this person, whoever else asks.
    pub async fn access(&self, room: &RoomId, person: &UserId) -> Result<Access, RoomError> {
        match self.known(self.partitioner.of(room), room, Some(person))? {
            Some(access) => Ok(access),
            None => self.visitor_access(room, &Visitor::Person(person.clone())).await,
        }
    }

    /// What a person or a guest may do in a room; the read is the visitor's, of a guest the network's.
    pub async fn visitor_access(
        &self,
        room: &RoomId,
        visitor: &Visitor,
    ) -> Result<Access, RoomError> {
        let partition = self.partitioner.of(room);
        for _ in 0..ATTEMPTS {
            match self.known(partition, room, visitor.person())? {
                Some(access) => return Ok(access),
                None => self.load(visitor, partition, room).await?,
            }
        }
        // More rooms are heard than there is memory for.
        Err(RoomError::Busy)
    }

    /// What a person may do in a room, or without one a guest, if the room is known here.
    fn known(
        &self,
        partition: Partition,
        room: &RoomId,
        person: Option<&UserId>,
    ) -> Result<Option<Access>, RoomError> {
        self.hub.room(partition, room, |known| match known {
            Known::Unloaded => Err(RoomError::Unloaded),
            known => Ok(known.access(person)),
        })
    }

    /// What a visitor may do in the room of an event, as of that event or later: what the archive has this replica
    /// may not have read yet, nor that the visitor was removed before.
    pub async fn access_behind(
        &self,
        event: &Event,
        visitor: &Visitor,
    ) -> Result<Access, RoomError> {
        let room = &event.envelope.room_id;
        // The lobby is everybody's at any time.
        if room.as_str() != RoomId::LOBBY {
            let reached = self.hub.reached(event.partition, event.position.next());
            timeout(LONGEST_WAIT, reached).await.map_err(|_| RoomError::Behind)?;
        }
        self.visitor_access(room, visitor).await
    }

    /// Loads a room, by a read of this visitor.
    pub async fn load(
        &self,
        visitor: &Visitor,
        partition: Partition,
        room: &RoomId,
    ) -> Result<(), RoomError> {
        let reader = self.reads.admit_visitor(visitor).map_err(of_read)?;
        // Boxed where it is awaited: of all who ask only one reads.
        let load = async { Box::pin(self.fetch(&reader, partition, room)).await };
        let loaded = self.loads.try_get_with_by_ref(room, load).await;
        // Whether it is loaded the hub knows.
        self.loads.invalidate(room).await;
        loaded.map_err(|error| *error)
    }

    async fn fetch(
        &self,
        reader: &Reader<'_>,
        partition: Partition,
        room: &RoomId,
    ) -> Result<(), RoomError> {
        // Whoever came a moment later than those who waited finds it loaded.
        if self.hub.room(partition, room, |known| !matches!(known, Known::NotLoaded)) {
            return Ok(());
        }
        ::metrics::counter!(metrics::ROOM_LOADS).increment(1);
        let from = self.hub.floor(partition);
        let snapshot = RoomSnapshots::of(reader).read(partition, room, from).await;
        let snapshot = snapshot.map_err(of_read)?;
        let ahead = match self.hub.load(partition, room, &snapshot) {
            Err(NotLoaded::Ahead(position)) => position,
            loaded => return loaded.map_err(of_hub),
        };
        let reached = self.hub.reached(partition, ahead.next());
        timeout(LONGEST_WAIT, reached).await.map_err(|_| RoomError::Behind)?;
        self.hub.load(partition, room, &snapshot).map_err(of_hub)
    }
}

fn of_hub(error: NotLoaded) -> RoomError {
    match error {
        NotLoaded::Behind | NotLoaded::Ahead(_) => RoomError::Behind,
        NotLoaded::Unloaded => RoomError::Unloaded,
    }
}

fn of_read(error: ReadError) -> RoomError {
    match error {
        ReadError::TooFast => RoomError::TooFast,
        ReadError::Busy => RoomError::Busy,
        ReadError::Archive(error) => {
            tracing::warn!(%error, "a room cannot be loaded");
            RoomError::Unavailable
        }
    }
}
