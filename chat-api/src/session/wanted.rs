//! Rooms that a socket wants to hear and that are not known here yet.
//!
//! One is loaded at a time, so that questions to the archive do not pile up, however many rooms a client
//! names.

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::Instant;

use super::Session;
use super::completed::Completed;
use super::end::End;
use super::subscription::{ARCHIVE_AGAIN, UPGRADE};
use crate::message::{Cursor, RoomId};
use crate::room_loader::RoomError;
use crate::visitor::Visitor;
use crate::ws::frame::Outbound;

/// The rooms of one socket, in the order in which they were named.
#[derive(Default)]
pub(super) struct WantedRooms {
    rooms: Vec<Wanted>,
    is_loading: bool,
}

/// A room that is to be heard as soon as it is known.
struct Wanted {
    room: RoomId,
    cursor: Option<Cursor>,
    /// When to ask again, after it could not be loaded.
    again: Option<Instant>,
    /// Whether the client was told that this takes longer.
    told: bool,
}

impl WantedRooms {
    pub(super) fn len(&self) -> usize {
        self.rooms.len()
    }

    /// Forgets rooms.
    pub(super) fn forget(&mut self, is_left: impl Fn(&RoomId) -> bool) {
        self.rooms.retain(|wanted| !is_left(&wanted.room));
    }

    /// When one of them is to be asked for again.
    pub(super) fn due(&self) -> Option<Instant> {
        self.rooms.iter().filter_map(|wanted| wanted.again).min()
    }

    /// Has those asked for again whose time has come.
    pub(super) fn see_to_time(&mut self, now: Instant) {
        for wanted in &mut self.rooms {
            wanted.again.take_if(|again| *again <= now);
        }
    }

    fn take(&mut self, room: &RoomId) -> Option<Wanted> {
        let index = self.rooms.iter().position(|wanted| wanted.room == *room)?;
        Some(self.rooms.remove(index))
    }
}

impl Session {
    /// Notes that a room is to be heard as soon as it is known.
    pub(super) fn want(&mut self, visitor: &Visitor, room: RoomId, cursor: Option<Cursor>) {
        self.wanted.rooms.push(Wanted { room, cursor, again: None, told: false });
        self.load_next(visitor);
    }

    /// Has the next room loaded, unless one is.
    pub(super) fn load_next(&mut self, visitor: &Visitor) {
        let next = self.wanted.rooms.iter().find(|wanted| wanted.again.is_none());
        let Some(next) = next.filter(|_| !self.wanted.is_loading) else { return };
        let (room, visitor) = (next.room.clone(), visitor.clone());
        let service = Arc::clone(&self.service);
        let partition = service.partitioner.of(&room);
        self.wanted.is_loading = true;
        let load = async move {
            let loaded = service.rooms.load(&visitor, partition, &room).await;
            Completed::Room { room, loaded }
        };
        self.work.push(load.boxed());
    }

    /// Hears a room that is loaded, or asks for it again.
    pub(super) async fn loaded(
        &mut self,
        visitor: &Visitor,
        room: &RoomId,
        loaded: Result<(), RoomError>,
    ) -> Result<(), End> {
        self.wanted.is_loading = false;
        // It may have been left.
        if let Some(wanted) = self.wanted.take(room) {
            match loaded {
                Ok(()) => self.listen(visitor, wanted.room, wanted.cursor, true).await?,
                Err(error) => self.put_off(wanted, error).await?,
            }
        }
        self.load_next(visitor);
        Ok(())
    }

    /// Asks for a room again later, and tells the client so once.
    async fn put_off(&mut self, mut wanted: Wanted, error: RoomError) -> Result<(), End> {
        let retry = if error == RoomError::Unloaded { UPGRADE } else { ARCHIVE_AGAIN };
        wanted.again = Some(Instant::now() + retry);
        let (room, was_told) = (wanted.room.clone(), wanted.told);
        wanted.told = true;
        self.wanted.rooms.push(wanted);
        if was_told { Ok(()) } else { self.behind(&room, retry).await }
    }

    /// Asks for a room again later that was let go as soon as it was loaded.
    pub(super) async fn want_later(
        &mut self,
        room: RoomId,
        cursor: Option<Cursor>,
    ) -> Result<(), End> {
        let wanted = Wanted { room, cursor, again: None, told: false };
        self.put_off(wanted, RoomError::Busy).await
    }

    /// Says that the events of a room come later.
    pub(super) async fn behind(&mut self, room: &RoomId, retry: Duration) -> Result<(), End> {
        let retry = u64::try_from(retry.as_millis()).unwrap_or(u64::MAX);
        self.say(&Outbound::Behind { room_id: room, retry }).await
    }
}
