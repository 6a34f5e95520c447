//! How far people say that they have read.

use std::sync::Arc;

use tokio::time::timeout;

use super::Ingest;
use super::error::SendError;
use super::waits::{LOOKUP, READ_BACK};
use super::writes::NewKind;
use crate::archive::Markers;
use crate::kafka::Producer;
use crate::markers::KnownMarkers;
use crate::message::{Author, Cursor, Marker, MessageId, NewMarker, Position, RoomId};
use crate::rooms::{Access, Refused};

/// Where markers go, and what is known of those before.
#[derive(Clone)]
pub struct MarkerLog {
    /// Appends to the topic with markers.
    pub producer: Arc<Producer>,
    /// The markers that were heard of lately.
    pub known: Arc<KnownMarkers>,
}

/// What became of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marked {
    /// Up to where the person has read now.
    pub cursor: Cursor,
    /// Whether that came into the log. Otherwise they had read as far before.
    pub is_new: bool,
}

impl Ingest {
    /// Says up to where somebody has read a room: returns when the log has acknowledged it. A marker only
    /// goes forward, and not beyond what this replica has read.
    pub async fn mark(
        &self,
        author: &Author,
        room: &RoomId,
        cursor: Cursor,
    ) -> Result<Marked, SendError> {
        let outcome = self.judge_and_mark(author, room, cursor).await;
        self.sends.count(outcome.as_ref().map_or_else(SendError::class, |marked| {
            if marked.is_new { "accepted" } else { "unchanged" }
        }));
        outcome
    }

    async fn judge_and_mark(
        &self,
        author: &Author,
        room: &RoomId,
        cursor: Cursor,
    ) -> Result<Marked, SendError> {
        if !self.writes.allow(NewKind::Marker) {
            return Err(SendError::NotOpenYet(NewKind::Marker));
        }
        if !self.rates.admits(&author.user_id) {
            return Err(SendError::TooFast);
        }
        may_mark(room, self.rooms.access(room, &author.user_id).await?)?;
        self.check_place(room, cursor).await?;
        let known = self.read_to(author, room).await?;
        if cursor.position <= known {
            return Ok(Marked { cursor: Cursor { position: known, ..cursor }, is_new: false });
        }
        let (room_id, user_id) = (room.clone(), author.user_id.clone());
        let (now, random) = ((self.sources.now)(), (self.sources.random)());
        let new = NewMarker {
            message_id: MessageId::new(now, random),
            timestamp: now,
            marker: Marker { room_id, user_id, position: cursor.position },
        };
        let message_id = new.message_id;
        let appended = self.markers.producer.append_marker(&new).await;
        appended.map_err(|error| SendError::Log { message_id, error })?;
        self.markers.known.note(&new.marker);
        Ok(Marked { cursor, is_new: true })
    }

    /// Whether a place is one of the room that this replica has read, or reads within moments.
    async fn check_place(&self, room: &RoomId, cursor: Cursor) -> Result<(), SendError> {
        let Cursor { partition, position } = cursor;
        if partition != self.partitioner.of(room) {
            return Err(SendError::ForeignMarker);
        }
        if self.hub.is_beyond(partition, position) {
            return Err(SendError::MarkerBeyond);
        }
        let reached = self.hub.reached(partition, position.next());
        timeout(READ_BACK, reached).await.map_err(|_| SendError::Behind)
    }

    /// Up to where somebody has read a room. If the archive does not tell, nothing is known; then it may be
    /// said again, which changes nothing.
    async fn read_to(&self, author: &Author, room: &RoomId) -> Result<Position, SendError> {
        if let Some(known) = self.markers.known.get(&author.user_id, room) {
            return Ok(known);
        }
        let reader = self.reads.admit(&author.user_id).map_err(|_| SendError::TooFast)?;
        let found = match timeout(LOOKUP, Markers::of(&reader).mine(room)).await {
            Ok(Ok(found)) => found,
            Ok(Err(error)) => {
                tracing::warn!(%error, "a marker cannot be looked up");
                None
            }
            Err(_) => {
                tracing::warn!("a marker cannot be looked up in time");
                None
            }
        };
        Ok(found.unwrap_or(Position::BEFORE_ALL))
    }
}

/// Whether somebody may say how far they have read a room: its members, and in the lobby, which has none,
/// everybody. To who may not read it there is none.
fn may_mark(room: &RoomId, access: Access) -> Result<(), SendError> {
    if access.is_member() || (room.as_str() == RoomId::LOBBY && access.may_say()) {
        Ok(())
    } else if access.may_read() {
        Err(SendError::Room(Refused::NotAllowed))
    } else {
        Err(SendError::UnknownRoom)
    }
}
