//! Who of a room is online.

use std::collections::BTreeMap;

use super::core::Core;
use super::record::Person;
use super::roster::Change;
use crate::message::{RoomId, UserId};
use crate::rooms::Crowd;

/// In a room with more people online nobody is named.
pub const NAMED_MAX: usize = 500;

/// Who of a room is online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPresence {
    /// How many people.
    pub online: usize,
    /// Who, in the order of their ids. None if that is not told: of the lobby, and of more than
    /// [`NAMED_MAX`] people.
    pub people: Option<Vec<Person>>,
}

/// Who came online and who went offline in a room.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoomChanges {
    /// Online now.
    pub online: Vec<Person>,
    /// Offline now.
    pub offline: Vec<UserId>,
}

impl Core {
    /// Who of a room is online, whose people these are.
    #[must_use]
    pub fn of_room(&self, crowd: &Crowd) -> RoomPresence {
        let Crowd::Members(members) = crowd else {
            return RoomPresence { online: self.counts().signed_in, people: None };
        };
        let mut people: Vec<Person> =
            members.iter().filter_map(|member| self.person(member)).collect();
        let online = people.len();
        people.sort_unstable_by(|one, other| one.user_id.cmp(&other.user_id));
        RoomPresence { online, people: Some(people).filter(|_| online <= NAMED_MAX) }
    }
}

/// Changes by the rooms whose hearers are to be told. `rooms_of` says in which rooms a person is shown.
#[must_use]
pub fn by_room(
    changes: &[Change],
    rooms_of: impl Fn(&UserId) -> Vec<RoomId>,
) -> BTreeMap<RoomId, RoomChanges> {
    let mut rooms: BTreeMap<RoomId, RoomChanges> = BTreeMap::new();
    for change in changes {
        let user_id = match change {
            Change::Online(person) => &person.user_id,
            Change::Offline(user_id) => user_id,
        };
        for room in rooms_of(user_id) {
            let room = rooms.entry(room).or_default();
            match change {
                Change::Online(person) => room.online.push(person.clone()),
                Change::Offline(user_id) => room.offline.push(user_id.clone()),
            }
        }
    }
    rooms
}

#[cfg(test)]
#[path = "crowd_tests.rs"]
mod tests;
