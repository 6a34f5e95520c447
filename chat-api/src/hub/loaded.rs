//! The rooms of one partition that are known here: those that somebody hears, and those that were asked
//! for last.

use lru::LruCache;

use crate::message::{Event, RoomId};
use crate::rooms::{RoomState, Verdict};

/// What a room takes beside its state, in bytes: its name twice and its place in the list.
const OVERHEAD: usize = 192;
/// How many rooms are looked at for one to let go: those that somebody hears stay.
const LOOKED_AT: usize = 16;

/// Rooms with what is known of them up to the partition's head, bounded in bytes.
pub(super) struct LoadedRooms {
    rooms: LruCache<RoomId, RoomState>,
    bytes: usize,
    limit: usize,
}

impl LoadedRooms {
    /// None yet, and at most so many bytes of them.
    pub(super) fn new(limit: usize) -> Self {
        Self { rooms: LruCache::unbounded(), bytes: 0, limit }
    }

    /// A room that is asked for.
    pub(super) fn get(&mut self, room: &RoomId) -> Option<&RoomState> {
        self.rooms.get(room)
    }

    /// Whether a room is known.
    pub(super) fn holds(&self, room: &RoomId) -> bool {
        self.rooms.contains(room)
    }

    /// Adds a room, and lets others go if need be: those that were not asked for the longest and that
    /// nobody hears.
    pub(super) fn add(
        &mut self,
        room: &RoomId,
        state: RoomState,
        is_heard: impl Fn(&RoomId) -> bool,
    ) {
        self.remove(room);
        self.bytes += bytes(&state);
        self.rooms.push(room.clone(), state);
        for _ in 0..LOOKED_AT {
            if self.bytes <= self.limit {
                return;
            }
            let Some((oldest, _)) = self.rooms.peek_lru() else { return };
            let oldest = oldest.clone();
            if oldest == *room || is_heard(&oldest) {
                self.rooms.promote(&oldest);
            } else {
                self.remove(&oldest);
            }
        }
    }

    /// Lets a room go.
    pub(super) fn remove(&mut self, room: &RoomId) {
        if let Some(state) = self.rooms.pop(room) {
            self.bytes -= bytes(&state);
        }
    }

    /// Decides about the next proposal of its room, if that is known.
    pub(super) fn decide(&mut self, event: &Event) -> Option<Verdict> {
        let state = self.rooms.peek_mut(&event.envelope.room_id)?;
        let before = bytes(state);
        let verdict = decide(state, event);
        self.bytes = self.bytes - before + bytes(state);
        Some(verdict)
    }
}

/// Decides about a proposal by the state of its room, which is the one before it.
pub(super) fn decide(state: &mut RoomState, event: &Event) -> Verdict {
    let Event { position, envelope, .. } = event;
    match envelope.body.proposal() {
        Some(proposal) => state.decide(*position, &envelope.user_id, proposal),
        None => Verdict::Void,
    }
}

fn bytes(state: &RoomState) -> usize {
    OVERHEAD + state.bytes()
}

#[cfg(test)]
#[path = "loaded_tests.rs"]
mod tests;
