//! Who is here, in which rooms, and which of those their sockets hear.

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::inbox::Inbox;
use crate::message::{Cursor, RoomId, UserId};
use crate::ws::notes::{Added, Removed};

/// Of so many rooms a person is told that something was said: those that they came into last.
const ROOMS: usize = 128;

/// People with sockets at this replica.
#[derive(Default)]
pub(super) struct People {
    next: u64,
    here: HashMap<UserId, Person>,
    sockets: HashMap<u64, Socket>,
    /// The sockets of those who are in a room, and whether they hear it.
    rooms: HashMap<RoomId, BTreeMap<u64, bool>>,
}

#[derive(Default)]
struct Person {
    sockets: Vec<u64>,
    /// The newest last.
    rooms: VecDeque<RoomId>,
    /// Whether the rooms of before are among them.
    is_known: bool,
}

struct Socket {
    person: UserId,
    inbox: Arc<Inbox>,
    heard: HashSet<RoomId>,
}

/// A socket of somebody whom something may concern.
pub(super) struct Concerned {
    pub(super) person: UserId,
    pub(super) inbox: Arc<Inbox>,
}

impl People {
    /// Adds a socket; its number, and whether it is the first one of its person.
    pub(super) fn enter(&mut self, person: &UserId, inbox: Arc<Inbox>) -> (u64, bool) {
        let number = self.next;
        self.next += 1;
        let socket = Socket { person: person.clone(), inbox, heard: HashSet::new() };
        self.sockets.insert(number, socket);
        let mine = self.here.entry(person.clone()).or_default();
        mine.sockets.push(number);
        for room in &mine.rooms {
            self.rooms.entry(room.clone()).or_default().insert(number, false);
        }
        (number, mine.sockets.len() == 1)
    }

    /// Takes a socket away.
    pub(super) fn leave(&mut self, number: u64) {
        let Some(Socket { person, .. }) = self.sockets.remove(&number) else { return };
        let Some(mine) = self.here.get_mut(&person) else { return };
        mine.sockets.retain(|other| *other != number);
        for room in &mine.rooms {
            remove(&mut self.rooms, room, number);
        }
        if mine.sockets.is_empty() {
            self.here.remove(&person);
        }
    }

    pub(super) fn is_here(&self, person: &UserId) -> bool {
        self.here.contains_key(person)
    }

    /// Adds the rooms of before, the newest first.
    pub(super) fn know(&mut self, person: &UserId, rooms: impl IntoIterator<Item = RoomId>) {
        let Some(mine) = self.here.get_mut(person) else { return };
        mine.is_known = true;
        for room in rooms {
            if mine.rooms.len() == ROOMS {
                return;
            }
            // Whoever came meanwhile came later.
            if !mine.rooms.contains(&room) {
                mine.rooms.push_front(room.clone());
                list(&mut self.rooms, &self.sockets, &mine.sockets, &room);
            }
        }
    }

    /// Notes whether a socket hears a room.
    pub(super) fn hears(&mut self, number: u64, room: &RoomId, hears: bool) {
        let Some(socket) = self.sockets.get_mut(&number) else { return };
        if hears {
            socket.heard.insert(room.clone());
        } else {
            socket.heard.remove(room);
        }
        if let Some(listed) = self.rooms.get_mut(room).and_then(|room| room.get_mut(&number)) {
            *listed = hears;
        }
    }

    /// A person is in a room: tells all of their sockets.
    pub(super) fn came(&mut self, person: &UserId, room: &RoomId, added: &Added) {
        let Some(mine) = self.here.get_mut(person) else { return };
        if !mine.rooms.contains(room) {
            mine.rooms.push_back(room.clone());
            list(&mut self.rooms, &self.sockets, &mine.sockets, room);
        }
        if mine.rooms.len() > ROOMS
            && let Some(oldest) = mine.rooms.pop_front()
        {
            for number in &mine.sockets {
                remove(&mut self.rooms, &oldest, *number);
            }
        }
        for number in &mine.sockets {
            self.sockets[number].inbox.came(added);
        }
    }

    /// A person is not in a room: tells all of their sockets, unless it is known that they were not.
    pub(super) fn went(&mut self, person: &UserId, room: &RoomId, cursor: Cursor) {
        let Some(mine) = self.here.get_mut(person) else { return };
        let place = mine.rooms.iter().position(|other| other == room);
        if place.is_none() && mine.is_known {
            return;
        }
        place.and_then(|place| mine.rooms.remove(place));
        for number in &mine.sockets {
            remove(&mut self.rooms, room, *number);
            let removed = Removed { room_id: room.clone(), cursor };
            self.sockets[number].inbox.went(removed);
        }
    }

    /// The sockets of those who are in a room that do not hear it.
    pub(super) fn who_do_not_hear(&self, room: &RoomId) -> Vec<Concerned> {
        let listed = self.rooms.get(room).into_iter().flatten();
        listed.filter(|(_, hears)| !**hears).map(|(number, _)| self.concerned(*number)).collect()
    }

    /// One socket of each of those who are in a room.
    pub(super) fn in_room(&self, room: &RoomId) -> Vec<Concerned> {
        let numbers = self.rooms.get(room).into_iter().flatten().map(|(number, _)| *number);
        let is_first = |number: &u64| {
            let person = &self.sockets[number].person;
            self.here.get(person).and_then(|mine| mine.sockets.first()) == Some(number)
        };
        numbers.filter(is_first).map(|number| self.concerned(number)).collect()
    }

    /// One socket of each of these people.
    pub(super) fn these(&self, people: &[&UserId]) -> Vec<Concerned> {
        let first = |person: &&UserId| Some(*self.here.get(*person)?.sockets.first()?);
        people.iter().filter_map(first).map(|number| self.concerned(number)).collect()
    }

    /// Whether nothing is kept of anybody.
    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.here.is_empty() && self.sockets.is_empty() && self.rooms.is_empty()
    }

    fn concerned(&self, number: u64) -> Concerned {
        let Socket { person, inbox, .. } = &self.sockets[&number];
        Concerned { person: person.clone(), inbox: Arc::clone(inbox) }
    }
}

/// Lists sockets of somebody who is in a room.
fn list(
    rooms: &mut HashMap<RoomId, BTreeMap<u64, bool>>,
    sockets: &HashMap<u64, Socket>,
    mine: &[u64],
    room: &RoomId,
) {
    let listed = rooms.entry(room.clone()).or_default();
    listed.extend(mine.iter().map(|number| (*number, sockets[number].heard.contains(room))));
}

fn remove(rooms: &mut HashMap<RoomId, BTreeMap<u64, bool>>, room: &RoomId, number: u64) {
    if let Some(listed) = rooms.get_mut(room) {
        listed.remove(&number);
        if listed.is_empty() {
            rooms.remove(room);
        }
    }
}
