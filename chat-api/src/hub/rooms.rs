//! What this replica knows of rooms: as much as the log has said up to where it was read.
//!
//! A room is loaded by a snapshot of what the archive decided; what comes after that is decided here, by
//! the same comparisons, from the proposals that were kept. Nothing here reads a database.

use std::collections::HashSet;
use std::mem;
use std::sync::Arc;

use super::entry::Entry;
use super::loaded::decide;
use super::proposals::Kept;
use super::taken::Taken;
use super::{Hub, ShardState};
use crate::message::{Event, Partition, Position, RoomId, Standing, UserId};
use crate::rooms::{Access, RoomSnapshot, RoomState, Verdict};

/// What is known of a room.
#[derive(Debug, Clone, Copy)]
pub enum Known<'a> {
    /// It is the lobby: it has no members and is always there.
    Lobby,
    /// All that was decided about it up to the partition's head.
    Room(&'a RoomState),
    /// Nothing yet.
    NotLoaded,
    /// Nothing certain, until this replica is upgraded.
    Unloaded,
}

/// Why a room is not loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotLoaded {
    /// The archive has not decided about all that is not kept here any more.
    Behind,
    /// The archive is further than this replica has read: up to here.
    Ahead(Position),
    /// Nothing certain is known of it until this replica is upgraded.
    Unloaded,
}

impl Known<'_> {
    /// What a person may do there, or without one a guest, if that is known.
    #[must_use]
    pub fn access(self, person: Option<&UserId>) -> Option<Access> {
        match (self, person) {
            (Self::Lobby, Some(_)) => Some(Access::IN_LOBBY),
            (Self::Lobby, None) => Some(Access::OF_GUEST_IN_LOBBY),
            (Self::Room(state), Some(person)) => Some(Access::in_room(state, person)),
            (Self::Room(state), None) => Some(Access::of_guest(state)),
            (Self::NotLoaded | Self::Unloaded, _) => None,
        }
    }
}

impl ShardState {
    /// What is known of a room.
    pub(super) fn known(&mut self, room: &RoomId) -> Known<'_> {
        if self.unloaded.holds(room) {
            Known::Unloaded
        } else if room.as_str() == RoomId::LOBBY {
            Known::Lobby
        } else {
            self.rooms.get(room).map_or(Known::NotLoaded, Known::Room)
        }
    }

    /// Whether a room can be read: of one that cannot it is not known which proposals are events.
    pub(super) fn knows(&self, room: &RoomId) -> bool {
        !self.unloaded.holds(room) && (room.as_str() == RoomId::LOBBY || self.rooms.holds(room))
    }
}

impl Hub {
    /// Asks what is known of a room, as of the partition's head.
    pub fn room<T>(
        &self,
        partition: Partition,
        room: &RoomId,
        ask: impl FnOnce(Known<'_>) -> T,
    ) -> T {
        self.shards[partition.index()].watched.with(|state| ask(state.known(room)))
    }

    /// From where on a snapshot of a room has to say which proposals count.
    #[must_use]
    pub fn floor(&self, partition: Partition) -> Position {
        self.shards[partition.index()].watched.with(|state| state.ring.floor())
    }

    /// Takes a room in as it was kept, and decides about what came after that. One that is known stays as it
    /// is.
    pub fn load(
        &self,
        partition: Partition,
        room: &RoomId,
        snapshot: &RoomSnapshot,
    ) -> Result<(), NotLoaded> {
        self.shards[partition.index()].watched.with_heard(|state, is_heard| {
            match state.known(room) {
                Known::Lobby | Known::Room(_) => return Ok(()),
                Known::Unloaded => return Err(NotLoaded::Unloaded),
                Known::NotLoaded => {}
            }
            if snapshot.upto >= state.ring.head() {
                return Err(NotLoaded::Ahead(snapshot.upto));
            }
            let ShardState { ring, proposals, rooms, .. } = state;
            if proposals.floor() > snapshot.next() {
                return Err(NotLoaded::Behind);
            }
            let mut now = snapshot.state.clone();
            for Kept { event, verdict } in proposals.of(room) {
                let position = event.position;
                let decided = if position <= snapshot.upto {
                    snapshot.verdict(position)
                } else {
                    Some(decide(&mut now, event))
                };
                if decided == Some(Verdict::Accepted) && ring.is_silent(position) {
                    // Which event came before is a hint, and not looked for.
                    ring.replace(Arc::new(Entry::of(event, None)));
                }
                *verdict = decided.or(*verdict);
            }
            rooms.add(room, now, is_heard);
            Ok(())
        })
    }

    /// Whether a person is not in a room, and was not at a place. Whoever left it later was in it, or came in
    /// and read all of it: their leaving stands behind the place.
    #[must_use]
    pub fn is_stranger_since(
        &self,
        partition: Partition,
        room: &RoomId,
        person: &UserId,
        position: Position,
    ) -> bool {
        self.room(partition, room, |known| match known {
            Known::Room(state) => {
                let is_in = state.standing(person).is_some_and(Standing::is_in);
                !is_in && state.position(person) <= position
            }
            Known::Lobby => false,
            Known::NotLoaded | Known::Unloaded => true,
        })
    }

    /// The rooms, of those that are known, in which something was changed since this was last asked.
    #[must_use]
    pub fn take_moved(&self) -> Vec<RoomId> {
        let shards = self.shards.iter();
        shards.flat_map(|shard| shard.watched.with(|state| mem::take(&mut state.moved))).collect()
    }

    /// Whether somebody hears a room.
    #[must_use]
    pub fn is_heard(&self, partition: Partition, room: &RoomId) -> bool {
        self.shards[partition.index()].watched.with_heard(|_, is_heard| is_heard(room))
    }

    /// Takes in the next proposal: an event if it counts. Of a room that is not loaded that is not known, and
    /// nobody hears it.
    pub(super) fn decide(&self, event: &Event, previous: Option<Position>) -> Taken {
        let Event { partition, position, envelope } = event;
        let shard = &self.shards[partition.index()];
        let announce = |lane: usize| self.lanes[lane].push(*partition, &envelope.room_id);
        let decide = |state: &mut ShardState| {
            let verdict = state.rooms.decide(event);
            state.proposals.push(Arc::new(event.clone()), verdict, state.ring.floor());
            match verdict {
                Some(Verdict::Accepted) => {
                    state.ring.push(Arc::new(Entry::of(event, previous)));
                    state.moved.insert(envelope.room_id.clone());
                }
                Some(Verdict::Void) => state.ring.skip(*position),
                None => state.ring.push(Arc::new(Entry::silent(event))),
            }
            if verdict == Some(Verdict::Void) { Taken::Void } else { Taken::New }
        };
        let taken = shard.watched.push(&envelope.room_id, decide, announce);
        shard.head.send_replace(position.next());
        taken
    }

    /// The rooms that a person may have come into by a proposal that is kept here: those of which the archive
    /// may not know yet are among them.
    #[must_use]
    pub fn rooms_of(&self, person: &UserId) -> HashSet<RoomId> {
        let mut rooms = HashSet::new();
        for shard in &self.shards {
            shard.watched.with(|state| rooms.extend(state.proposals.rooms_of(person).cloned()));
        }
        rooms
    }

    /// Whether the proposal at a place counts, if it is kept and its room was known.
    #[must_use]
    pub fn verdict(&self, partition: Partition, position: Position) -> Option<Verdict> {
        self.shards[partition.index()].watched.with(|state| state.proposals.verdict(position))
    }

    /// Passes a record that changed a room in a way that this release does not understand: from here on
    /// the room cannot be read. `false` if it could not before.
    #[must_use]
    pub fn unload(&self, partition: Partition, position: Position, room: &RoomId) -> bool {
        let watched = &self.shards[partition.index()].watched;
        let announce = |lane: usize| self.lanes[lane].push(partition, room);
        let unload = |state: &mut ShardState| {
            state.rooms.remove(room);
            state.unloaded.add(room)
        };
        let is_news = watched.push(room, unload, announce);
        self.skip(partition, position);
        is_news
    }

    /// Whether a room waits for a later release of this program.
    #[must_use]
    pub fn is_unloaded(&self, partition: Partition, room: &RoomId) -> bool {
        self.shards[partition.index()].watched.with(|state| state.unloaded.holds(room))
    }
}

#[cfg(test)]
#[path = "rooms_tests.rs"]
pub(super) mod tests;
