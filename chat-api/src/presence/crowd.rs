//! Who of a room is online.

use super::core::Core;
use super::record::Person;
use crate::hub::Known;
use crate::rooms::PersonKey;

/// In a room with more people online nobody is named.
pub const NAMED_MAX: usize = 500;

/// Whose people are shown in a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Crowd {
    /// Everybody who is online, as a number.
    Everybody,
    /// These people, each once.
    Members(Vec<PersonKey>),
}

/// Who of a room is online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoomPresence {
    /// How many people.
    pub online: usize,
    /// Who, in the order of their ids. None if that is told to nobody: of the lobby, and of more than
    /// [`NAMED_MAX`] people.
    pub people: Option<Vec<Person>>,
}

impl Crowd {
    /// That of a room, if it is known.
    #[must_use]
    pub fn of(known: Known<'_>) -> Option<Self> {
        match known {
            Known::Lobby => Some(Self::Everybody),
            Known::Room(state) => Some(Self::Members(state.keys().collect())),
            Known::NotLoaded | Known::Unloaded => None,
        }
    }
}

impl Core {
    /// Who of a room is online, whose people these are.
    #[must_use]
    pub fn of_room(&self, crowd: &Crowd) -> RoomPresence {
        let Crowd::Members(members) = crowd else {
            return RoomPresence { online: self.counts().signed_in, people: None };
        };
        let mut people: Vec<Person> =
            members.iter().filter_map(|member| self.person(*member)).collect();
        let online = people.len();
        people.sort_unstable_by(|one, other| one.user_id.cmp(&other.user_id));
        RoomPresence { online, people: Some(people).filter(|_| online <= NAMED_MAX) }
    }
}

#[cfg(test)]
#[path = "crowd_tests.rs"]
mod tests;
