//! How much one socket reads of what was said before.

use std::collections::HashSet;

use super::subscription::ROOMS_MAX;
use crate::message::RoomId;

/// What one socket reads of what was said before.
#[derive(Default)]
pub(super) struct Reading {
    /// A page of the archive is under way: there is one at a time, whichever room it is of, so that
    /// neither pages nor questions pile up, however often a room is subscribed anew.
    pub(super) page_under_way: bool,
    /// Rooms that were read back by this socket, the first ones.
    read_back: HashSet<RoomId>,
}

impl Reading {
    /// Whether this socket reads a room back for the first time, which every client does once after
    /// each disconnect. Only as many rooms as a socket hears have a first time.
    pub(super) fn is_first(&mut self, room: &RoomId) -> bool {
        self.read_back.len() < ROOMS_MAX && self.read_back.insert(room.clone())
    }
}
