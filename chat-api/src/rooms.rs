//! Who may do what in which room: the one place that decides it.

use crate::message::{RoomId, UserId};

/// What one person may do in one room. Made once for each request, frame and send, whatever it then asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    may_read: bool,
    may_say: bool,
}

impl Access {
    /// What a person may do in a room. So far there is one room, and it is everybody's.
    #[must_use]
    pub fn of(room: &RoomId, _person: &UserId) -> Self {
        let is_open_to_all = room.as_str() == RoomId::LOBBY;
        Self { may_read: is_open_to_all, may_say: is_open_to_all }
    }

    /// Whether this person may read what was said, and hear what is said. To anybody who may not,
    /// there is no such room.
    #[must_use]
    pub fn may_read(self) -> bool {
        self.may_read
    }

    /// Whether this person may say something. To anybody who may not, there is no such room.
    #[must_use]
    pub fn may_say(self) -> bool {
        self.may_say
    }
}

#[cfg(test)]
#[path = "rooms_tests.rs"]
mod tests;
