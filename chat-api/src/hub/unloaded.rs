//! Rooms of which this release knows nothing certain any more.

use std::collections::HashSet;

use crate::message::RoomId;

/// How many unloaded rooms of a partition are remembered by name, which takes about a megabyte.
/// After more, which no release writes while an older one runs, all rooms are taken for unloaded.
const ROOMS_MAX: usize = 10_000;

/// Rooms that are not served until this replica is upgraded.
#[derive(Debug, Default)]
pub(super) struct Unloaded {
    rooms: HashSet<RoomId>,
    all: bool,
}

impl Unloaded {
    /// Adds a room. `false` if it was held already.
    pub(super) fn add(&mut self, room: &RoomId) -> bool {
        if self.holds(room) {
            return false;
        }
        self.rooms.insert(room.clone());
        self.all = self.rooms.len() >= ROOMS_MAX;
        true
    }

    pub(super) fn holds(&self, room: &RoomId) -> bool {
        self.all || self.rooms.contains(room)
    }
}

#[cfg(test)]
#[path = "unloaded_tests.rs"]
mod tests;
