//! Something that many listen to: who hears which room, and whom an event is still to be taken to.
//!
//! Every listener belongs to one of several lanes, each of which has a sweeper of its own: so all
//! processors take part in a large room.

use std::collections::HashMap;
use std::sync::Arc;

use super::sync::{Mutex, MutexGuard, PoisonError};
use crate::message::RoomId;

/// A value under a lock, and who is to learn of its changes.
pub(super) struct Watched<T, L: ?Sized> {
    state: Mutex<State<T, L>>,
}

struct State<T, L: ?Sized> {
    value: T,
    /// Per lane the rooms that somebody in it hears.
    lanes: Vec<HashMap<RoomId, Listeners<L>>>,
    /// The number of the next listener.
    next: u64,
}

/// Those in one lane who hear a room.
struct Listeners<L: ?Sized> {
    /// The room waits to be swept.
    is_dirty: bool,
    /// In the order in which they came, which is that of their numbers.
    all: Vec<(u64, Arc<L>)>,
}

impl<T, L: ?Sized> Watched<T, L> {
    /// A value that nobody hears yet.
    pub(super) fn new(value: T, lanes: usize) -> Self {
        let lanes = (0..lanes).map(|_| HashMap::new()).collect();
        Self { state: Mutex::new(State { value, lanes, next: 0 }) }
    }

    /// Reads the value, or changes it in a way that is no news.
    pub(super) fn with<R>(&self, read: impl FnOnce(&mut T) -> R) -> R {
        read(&mut self.lock().value)
    }

    /// Changes the value in a way that is news of a room. `announce` gets each lane in which the room is to
    /// be swept therefore, and did not wait for it already.
    pub(super) fn push<R>(
        &self,
        room: &RoomId,
        change: impl FnOnce(&mut T) -> R,
        mut announce: impl FnMut(usize),
    ) -> R {
        let mut state = self.lock();
        let changed = change(&mut state.value);
        for (lane, rooms) in state.lanes.iter_mut().enumerate() {
            if let Some(listeners) = rooms.get_mut(room)
                && !std::mem::replace(&mut listeners.is_dirty, true)
            {
                announce(lane);
            }
        }
        changed
    }

    /// The same, with who is heard.
    pub(super) fn with_heard<R>(
        &self,
        read: impl FnOnce(&mut T, &dyn Fn(&RoomId) -> bool) -> R,
    ) -> R {
        let State { value, lanes, .. } = &mut *self.lock();
        read(value, &|room| lanes.iter().any(|rooms| rooms.contains_key(room)))
    }

    /// Puts a listener on the list of a room if it is admitted in the same step; its number there. Of what
    /// was pushed before it is told nothing.
    pub(super) fn listen<E>(
        &self,
        room: &RoomId,
        listener: Arc<L>,
        admit: impl FnOnce(&mut T) -> Result<(), E>,
    ) -> Result<u64, E> {
        let mut state = self.lock();
        admit(&mut state.value)?;
        let number = state.next;
        state.next += 1;
        let lane = lane(number, state.lanes.len());
        let none = || Listeners { is_dirty: false, all: Vec::new() };
        let listeners = state.lanes[lane].entry(room.clone()).or_insert_with(none);
        listeners.all.push((number, listener));
        Ok(number)
    }

    /// How many hear a room.
    pub(super) fn listeners(&self, room: &RoomId) -> usize {
        let state = self.lock();
        let of_lane =
            |rooms: &HashMap<RoomId, Listeners<L>>| rooms.get(room).map(|some| some.all.len());
        state.lanes.iter().filter_map(of_lane).sum()
    }

    /// Takes a listener off the list of a room.
    pub(super) fn leave(&self, room: &RoomId, number: u64) {
        let mut state = self.lock();
        let lane = lane(number, state.lanes.len());
        let Some(listeners) = state.lanes[lane].get_mut(room) else { return };
        // Whatever goes with it must not go under this lock.
        let found = listeners.all.binary_search_by_key(&number, |(number, _)| *number);
        let gone = found.map(|index| listeners.all.remove(index));
        if listeners.all.is_empty() {
            state.lanes[lane].remove(room);
        }
        drop(state);
        drop(gone);
    }

    /// The first listeners of a room in a lane, at most so many. From now on the room does not wait to be
    /// swept, so what is pushed from now on announces it anew.
    pub(super) fn first(&self, lane: usize, room: &RoomId, most: usize) -> Vec<(u64, Arc<L>)> {
        let mut state = self.lock();
        let Some(listeners) = state.lanes[lane].get_mut(room) else { return Vec::new() };
        listeners.is_dirty = false;
        listeners.from(0, most)
    }

    /// The next ones, behind that number. Who came to the list since it was begun may be among them.
    pub(super) fn after(
        &self,
        lane: usize,
        room: &RoomId,
        number: u64,
        most: usize,
    ) -> Vec<(u64, Arc<L>)> {
        self.some(lane, room, number + 1, most)
    }

    /// Listeners of a room in a lane, from that number on.
    pub(super) fn some(
        &self,
        lane: usize,
        room: &RoomId,
        from: u64,
        most: usize,
    ) -> Vec<(u64, Arc<L>)> {
        let state = self.lock();
        let Some(listeners) = state.lanes[lane].get(room) else { return Vec::new() };
        listeners.from(from, most)
    }

    fn lock(&self) -> MutexGuard<'_, State<T, L>> {
        // A push that panicked between two steps would leave the ring without its last event; the
        // reader that pushed is then dead, and the process on its way out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<L: ?Sized> Listeners<L> {
    /// At most so many, from that number on.
    fn from(&self, number: u64, most: usize) -> Vec<(u64, Arc<L>)> {
        let first = self.all.partition_point(|(other, _)| *other < number);
        self.all[first..].iter().take(most).cloned().collect()
    }
}

/// The lane of a listener.
fn lane(number: u64, lanes: usize) -> usize {
    usize::try_from(number % lanes as u64).expect("less than the lanes that there are")
}
