//! Who is typing where, as it is taken to those who hear the room: the latest of it, once a second at most, and
//! no more than anybody reads.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::message::RoomId;
use crate::presence::Person;

/// Between two times that a room is told: however many type in a room with thousands of sockets, that is
/// one write a second for each.
const ROOM_EVERY: Duration = Duration::from_secs(1);
/// How many people a room is told of at once: of more, an app says that several are typing.
const TYPERS_MAX: usize = 8;
/// In how many rooms somebody types at once, of which sockets are told.
const ROOMS_MAX: usize = 10_000;

/// Who typed since the rooms were told.
#[derive(Debug, Default)]
pub struct TypingBoard {
    rooms: HashMap<RoomId, Typed>,
}

#[derive(Debug)]
struct Typed {
    /// When the room may be told.
    at: Instant,
    people: Vec<Person>,
}

impl TypingBoard {
    /// Somebody types in a room. `false` if that is not told, because many do.
    pub fn note(&mut self, room: &RoomId, person: Person, now: Instant) -> bool {
        if !self.rooms.contains_key(room) {
            if self.rooms.len() >= ROOMS_MAX {
                return false;
            }
            self.rooms.insert(room.clone(), Typed { at: now, people: Vec::new() });
        }
        let Some(typed) = self.rooms.get_mut(room) else { return false };
        if let Some(known) = typed.people.iter_mut().find(|known| known.user_id == person.user_id) {
            *known = person;
            return true;
        }
        if typed.people.len() >= TYPERS_MAX {
            return false;
        }
        typed.people.push(person);
        true
    }

    /// The rooms that are to be told now, and of whom.
    #[must_use]
    pub fn due(&mut self, now: Instant) -> Vec<(RoomId, Vec<Person>)> {
        // A room in which nobody has typed since it might have been told again is forgotten.
        self.rooms.retain(|_, typed| !typed.people.is_empty() || typed.at > now);
        let mut due = Vec::new();
        for (room, typed) in &mut self.rooms {
            if typed.at <= now {
                typed.at = now + ROOM_EVERY;
                due.push((room.clone(), std::mem::take(&mut typed.people)));
            }
        }
        due
    }

    /// When a room is to be told next.
    #[must_use]
    pub fn next(&self) -> Option<Instant> {
        let waiting = self.rooms.values().filter(|typed| !typed.people.is_empty());
        waiting.map(|typed| typed.at).min()
    }
}

#[cfg(test)]
#[path = "board_tests.rs"]
mod tests;
