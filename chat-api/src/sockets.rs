//! Every open socket: who has how many, and what all of them are told.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::hub::Wake;
use crate::message::{Marker, Position, RoomId, UserId};

/// Sockets that one person has at one replica; one more closes the oldest.
const PER_PERSON: usize = 10;

/// Of how many rooms a socket that takes nothing is told how far its person has read: as many as it hears.
const MARKERS_MAX: usize = 128;

/// What a socket is told from outside its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SocketCommand {
    /// What this replica knows of the log has a hole: go on by cursor, here or elsewhere.
    Resync = 1,
    /// This replica is leaving.
    Drain = 2,
    /// The same person opened too many others.
    Replace = 3,
}

/// The sockets of a replica.
#[derive(Debug, Default)]
pub struct Sockets {
    state: Mutex<SocketTable>,
}

#[derive(Debug, Default)]
struct SocketTable {
    next: u64,
    open: BTreeMap<u64, Arc<Handle>>,
    people: HashMap<UserId, VecDeque<u64>>,
    /// What sockets are told that come from now on.
    standing: Option<SocketCommand>,
}

/// How one socket is reached.
#[derive(Debug, Default)]
struct Handle {
    wake: Arc<Wake>,
    command: AtomicU8,
    /// What this person has read, and this socket was not told yet: the latest of each room.
    markers: Mutex<BTreeMap<RoomId, Position>>,
}

impl Handle {
    fn tell(&self, command: SocketCommand) {
        // The gravest command stays.
        self.command.fetch_max(command as u8, Ordering::AcqRel);
        self.wake.notify();
    }

    fn tell_marker(&self, Marker { room_id, position, .. }: &Marker) {
        let mut markers = self.markers();
        if markers.len() < MARKERS_MAX || markers.contains_key(room_id) {
            let latest = markers.entry(room_id.clone()).or_insert(*position);
            *latest = position.max(latest).to_owned();
        }
        drop(markers);
        self.wake.notify();
    }

    fn markers(&self) -> MutexGuard<'_, BTreeMap<RoomId, Position>> {
        // Each access leaves it whole.
        self.markers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A socket's place among the others, until it is dropped.
#[derive(Debug)]
pub struct Seat {
    sockets: Arc<Sockets>,
    handle: Arc<Handle>,
    number: u64,
    person: Option<UserId>,
}

impl Sockets {
    /// A place for a socket of somebody not known yet.
    #[must_use]
    pub fn admit(self: &Arc<Self>) -> Seat {
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        let handle = Arc::new(Handle::default());
        if let Some(command) = state.standing {
            handle.tell(command);
        }
        state.open.insert(number, Arc::clone(&handle));
        drop(state);
        Seat { sockets: Arc::clone(self), handle, number, person: None }
    }

    /// Tells every socket, and those that come until [`Sockets::withdraw`].
    pub fn tell_all(&self, command: SocketCommand) {
        let mut state = self.lock();
        state.standing = state.standing.max(Some(command));
        for handle in state.open.values() {
            handle.tell(command);
        }
    }

    /// Takes a command back for the sockets that come from now on.
    pub fn withdraw(&self, command: SocketCommand) {
        let mut state = self.lock();
        if state.standing == Some(command) {
            state.standing = None;
        }
    }

    /// Tells the sockets of a person up to where that person has read a room.
    pub fn tell_marker(&self, marker: &Marker) {
        let state = self.lock();
        let mine = state.people.get(&marker.user_id).into_iter().flatten();
        for handle in mine.filter_map(|number| state.open.get(number)) {
            handle.tell_marker(marker);
        }
    }

    fn lock(&self) -> MutexGuard<'_, SocketTable> {
        // Each access leaves the maps consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// What this socket waits on.
    #[must_use]
    pub fn wake(&self) -> &Arc<Wake> {
        &self.handle.wake
    }

    /// What this socket was told.
    #[must_use]
    pub fn command(&self) -> Option<SocketCommand> {
        match self.handle.command.load(Ordering::Acquire) {
            0 => None,
            1 => Some(SocketCommand::Resync),
            2 => Some(SocketCommand::Drain),
            _ => Some(SocketCommand::Replace),
        }
    }

    /// What this socket's person has read of which rooms since this was last asked.
    #[must_use]
    pub fn take_markers(&self) -> BTreeMap<RoomId, Position> {
        std::mem::take(&mut *self.handle.markers())
    }

    /// Says whose socket it is, which may be one too many of that person's.
    pub fn belongs_to(&mut self, person: &UserId) {
        let mut state = self.sockets.lock();
        let mine = state.people.entry(person.clone()).or_default();
        mine.push_back(self.number);
        let oldest = if mine.len() > PER_PERSON { mine.pop_front() } else { None };
        if let Some(handle) = oldest.and_then(|number| state.open.get(&number)) {
            handle.tell(SocketCommand::Replace);
        }
        self.person = Some(person.clone());
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut state = self.sockets.lock();
        state.open.remove(&self.number);
        let Some(person) = &self.person else { return };
        if let Some(mine) = state.people.get_mut(person) {
            mine.retain(|number| *number != self.number);
            if mine.is_empty() {
                state.people.remove(person);
            }
        }
    }
}

#[cfg(test)]
#[path = "sockets_tests.rs"]
mod tests;
