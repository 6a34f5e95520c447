//! Who may do what in which room: the one place that decides it.
//!
//! Rooms and memberships are changed by compare-and-set on the log. A replica [`judge`]s a [`Command`] by
//! the [`RoomState`] that it knows, and appends a proposal; every reader of the log accepts it, by
//! [`RoomState::decide`], if what it was judged on still stands.

mod command;
pub mod direct;
mod fold;
mod judge;
mod people;
mod state;

use crate::message::{RoomId, Standing, UserId};

pub use command::{Actor, Command, Refused, Role};
pub use fold::Verdict;
pub use judge::{MEMBERS_MAX, judge};
pub use state::{Phase, Room, RoomKind, RoomState};

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

    /// What a person may do in a room that has members, as of where that is known. A room that everybody
    /// finds is read by all; nobody else's is, and only who is in a room speaks there: while it is open, and
    /// in a direct room while neither has blocked the other.
    #[must_use]
    pub fn in_room(state: &RoomState, person: &UserId) -> Self {
        let is_in = state.standing(person).is_some_and(Standing::is_in);
        let is_open = state.room().is_some_and(|room| room.phase == Phase::Open);
        Self {
            may_read: state.is_there() && (is_in || state.is(RoomKind::Public)),
            may_say: is_in && is_open && !state.is_blocked(),
        }
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

/// Whose people are shown in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crowd {
    /// Everybody who is online, as a number.
    Everybody,
    /// These people, each once.
    Members(Vec<UserId>),
}

impl Crowd {
    /// The crowd of a room that its reader may read. So far there is one room, and it is everybody's.
    #[must_use]
    pub fn of(_room: &RoomId) -> Self {
        Self::Everybody
    }

    /// The rooms whose hearers are told when a person comes and goes. So far there is none that has members.
    #[must_use]
    pub fn rooms_with(_person: &UserId) -> Vec<RoomId> {
        Vec::new()
    }
}

#[cfg(test)]
#[path = "rooms_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "rooms/model_tests.rs"]
mod model_tests;

#[cfg(test)]
#[path = "rooms/chance_tests.rs"]
mod chance_tests;
