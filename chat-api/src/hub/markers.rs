//! How far people have read, on its way to those who hear the room.
//!
//! Nothing is queued for a listener: of each person and room the latest is kept under a number, and each
//! listener knows up to which number it was told. Whoever takes nothing is told the latest when they do.

use std::collections::BTreeMap;
use std::time::Duration;

use lru::LruCache;
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Bytes;

use super::Hub;
use super::frames::PIECE;
use super::rooms::Known;
use crate::message::{Cursor, Marker, Partition, Position, RoomId, UserId};
use crate::rooms::Access;
use crate::ws::frame::Outbound;

/// How many are in a room of which everybody is told how far the others have read. Each message there makes
/// that many markers, each of which goes to as many people.
const MEMBERS_MAX: u32 = 100;
/// How many sockets hear such a room here: 10 of each, and some who only read. It takes as long to pass them
/// by as to tell them.
const LISTENERS_MAX: usize = 1_000;
/// How long a marker is kept for those who take nothing: a socket that takes nothing for 15 s is closed.
const KEPT: Duration = Duration::from_secs(20);

/// Who is to be told of a marker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkerReach {
    /// Those who hear the room and are in it: they are.
    Room,
    /// Only whose marker it is.
    Person,
    /// Nobody: nobody hears the room here, or it is of somebody who is not in it any more.
    Nobody,
}

/// The markers that the listeners of one partition are told.
pub(super) struct MarkerBoards {
    /// The rooms in the order in which they were noted last.
    rooms: LruCache<RoomId, Board>,
    /// The number of the last marker.
    last: u64,
}

/// The latest marker of each person of a room, by their numbers.
struct Board {
    at: Instant,
    latest: BTreeMap<u64, Noted>,
}

struct Noted {
    person: UserId,
    position: Position,
    frame: Bytes,
}

/// Markers as they go onto a line.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct MarkerFrames {
    /// Those after this number …
    pub after: u64,
    /// … up to this one.
    pub upto: u64,
    /// Their frames, one behind the other.
    pub bytes: Bytes,
    /// Whether there are more.
    pub more: bool,
}

impl Default for MarkerBoards {
    fn default() -> Self {
        Self { rooms: LruCache::unbounded(), last: 0 }
    }
}

impl MarkerBoards {
    fn note(&mut self, marker: &Marker, frame: Bytes, now: Instant) {
        while let Some((_, oldest)) = self.rooms.peek_lru()
            && oldest.at + KEPT <= now
        {
            self.rooms.pop_lru();
        }
        let none = || Board { at: now, latest: BTreeMap::new() };
        let board = self.rooms.get_or_insert_mut(marker.room_id.clone(), none);
        board.at = now;
        let known = board.latest.iter().find(|(_, noted)| noted.person == marker.user_id);
        if let Some((number, noted)) = known.map(|(number, noted)| (*number, noted)) {
            if noted.position >= marker.position {
                return;
            }
            board.latest.remove(&number);
        }
        self.last += 1;
        let (person, position) = (marker.user_id.clone(), marker.position);
        board.latest.insert(self.last, Noted { person, position, frame });
    }

    /// The markers of a room after a number, at most a piece of them.
    fn after(&self, room: &RoomId, after: u64) -> MarkerFrames {
        let (mut bytes, mut upto) = (Vec::new(), after);
        let board = self.rooms.peek(room);
        for (number, noted) in board.into_iter().flat_map(|board| board.latest.range(after + 1..)) {
            if !bytes.is_empty() && bytes.len() + noted.frame.len() > PIECE {
                return MarkerFrames { after, upto, bytes: bytes.into(), more: true };
            }
            bytes.extend_from_slice(&noted.frame);
            upto = *number;
        }
        MarkerFrames { after, upto, bytes: bytes.into(), more: false }
    }
}

impl Hub {
    /// Takes in a marker, and has it taken to those who hear its room, if they are few. A position that was
    /// noted before or lies below one is no news.
    #[must_use]
    pub fn mark(&self, partition: Partition, marker: &Marker, now: Instant) -> MarkerReach {
        let (room, watched) = (&marker.room_id, &self.shards[partition.index()].watched);
        let listeners = watched.listeners(room);
        let reach = watched.with(|state| match state.known(room) {
            _ if listeners == 0 => MarkerReach::Nobody,
            Known::Lobby => MarkerReach::Person,
            Known::Room(known) if !Access::in_room(known, &marker.user_id).is_member() => {
                MarkerReach::Nobody
            }
            Known::Room(known) if known.members() > MEMBERS_MAX => MarkerReach::Person,
            Known::Room(_) if listeners > LISTENERS_MAX => MarkerReach::Person,
            Known::Room(_) => MarkerReach::Room,
            Known::NotLoaded | Known::Unloaded => MarkerReach::Nobody,
        });
        if reach == MarkerReach::Room {
            let cursor = Cursor { partition, position: marker.position };
            let frame = Outbound::Marker { room_id: room, user_id: &marker.user_id, cursor };
            let frame = frame.framed();
            let announce = |lane: usize| self.lanes[lane].push(partition, room);
            watched.push(room, |state| state.markers.note(marker, frame, now), announce);
        }
        reach
    }

    /// The markers of a room after a number, at most a piece of them.
    #[must_use]
    pub fn markers(&self, partition: Partition, room: &RoomId, after: u64) -> MarkerFrames {
        let watched = &self.shards[partition.index()].watched;
        watched.with(|state| state.markers.after(room, after))
    }

    /// Whether somebody is in a room, as of the partition's head.
    #[must_use]
    pub fn is_member(&self, partition: Partition, room: &RoomId, person: &UserId) -> bool {
        self.room(partition, room, |known| {
            known.access(Some(person)).is_some_and(Access::is_member)
        })
    }
}

#[cfg(test)]
#[path = "markers_tests.rs"]
mod tests;
