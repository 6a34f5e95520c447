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
mod snapshot;
mod state;
mod wish;

use crate::message::{Standing, UserId};

pub use command::{Actor, Command, Refused, Role};
pub use fold::Verdict;
pub use judge::{MEMBERS_MAX, judge};
pub use people::PersonKey;
pub use snapshot::RoomSnapshot;
pub use state::{Phase, Room, RoomKind, RoomState};
pub use wish::{RoomWish, ToBe};

/// What one person, or a guest, may do in one room. Made once for each request, frame and send, whatever it then asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    place: Place,
    may_say: bool,
}

/// Where a person stands towards a room, each with all that the one before it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Place {
    /// To them, there is no such room.
    Outside,
    /// They read what is said, and hear it.
    Reader,
    /// They are in the room, and so know who else is.
    Member,
    /// They decide about the room, which is open.
    Owner,
}

impl Access {
    /// What every person may do in the lobby, which has no members.
    pub const IN_LOBBY: Self = Self { place: Place::Reader, may_say: true };

    /// What a guest may do there.
    pub const OF_GUEST_IN_LOBBY: Self = Self { place: Place::Reader, may_say: false };

    /// What a guest may do in a room that has members, as of where that is known: read what everybody may read.
    #[must_use]
    pub fn of_guest(state: &RoomState) -> Self {
        let is_public = state.is_there() && state.is(RoomKind::Public);
        Self { place: if is_public { Place::Reader } else { Place::Outside }, may_say: false }
    }

    /// What a person may do in a room that has members, as of where that is known. A room that everybody
    /// finds is read by all; nobody else's is, and only who is in a room speaks there: while it is open, and
    /// in a direct room while neither has blocked the other.
    #[must_use]
    pub fn in_room(state: &RoomState, person: &UserId) -> Self {
        let standing = state.standing(person);
        let is_in = standing.is_some_and(Standing::is_in);
        let is_open = state.room().is_some_and(|room| room.phase == Phase::Open);
        let place = match standing {
            _ if !state.is_there() => Place::Outside,
            Some(Standing::Owner) if is_open => Place::Owner,
            _ if is_in => Place::Member,
            _ if state.is(RoomKind::Public) => Place::Reader,
            _ => Place::Outside,
        };
        Self { place, may_say: is_in && is_open && !state.is_blocked() }
    }

    /// Whether this person may read what was said, and hear what is said. To anybody who may not,
    /// there is no such room.
    #[must_use]
    pub fn may_read(self) -> bool {
        self.place >= Place::Reader
    }

    /// Whether this person is in the room, and so may know who else is.
    #[must_use]
    pub fn is_member(self) -> bool {
        self.place >= Place::Member
    }

    /// Whether this person decides about the room, while it is open.
    #[must_use]
    pub fn owns(self) -> bool {
        self.place == Place::Owner
    }

    /// Whether this person may say something.
    #[must_use]
    pub fn may_say(self) -> bool {
        self.may_say
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
