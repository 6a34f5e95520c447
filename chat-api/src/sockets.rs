//! Every open socket: who has how many, and what all of them are told.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::hub::Bell;
use crate::message::UserId;

/// Sockets that one person has at one replica; one more closes the oldest.
const PER_PERSON: usize = 10;

/// What a socket is told from outside its room.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
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
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: u64,
    open: BTreeMap<u64, Arc<Handle>>,
    people: HashMap<UserId, VecDeque<u64>>,
    /// What sockets are told that come from now on.
    standing: Option<Order>,
}

/// How one socket is reached.
#[derive(Debug, Default)]
struct Handle {
    bell: Arc<Bell>,
    order: AtomicU8,
}

impl Handle {
    fn tell(&self, order: Order) {
        // The gravest order stays.
        self.order.fetch_max(order as u8, Ordering::AcqRel);
        self.bell.ring();
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
        if let Some(order) = state.standing {
            handle.tell(order);
        }
        state.open.insert(number, Arc::clone(&handle));
        drop(state);
        Seat { sockets: Arc::clone(self), handle, number, person: None }
    }

    /// Tells every socket, and those that come until [`Sockets::relax`].
    pub fn tell_all(&self, order: Order) {
        let mut state = self.lock();
        state.standing = state.standing.max(Some(order));
        for handle in state.open.values() {
            handle.tell(order);
        }
    }

    /// Takes an order back for the sockets that come from now on.
    pub fn relax(&self, order: Order) {
        let mut state = self.lock();
        if state.standing == Some(order) {
            state.standing = None;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Each access leaves the maps consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seat {
    /// What this socket waits on.
    #[must_use]
    pub fn bell(&self) -> &Arc<Bell> {
        &self.handle.bell
    }

    /// What this socket was told.
    #[must_use]
    pub fn order(&self) -> Option<Order> {
        match self.handle.order.load(Ordering::Acquire) {
            0 => None,
            1 => Some(Order::Resync),
            2 => Some(Order::Drain),
            _ => Some(Order::Replace),
        }
    }

    /// Says whose socket it is, which may be one too many of that person's.
    pub fn belongs_to(&mut self, person: &UserId) {
        let mut state = self.sockets.lock();
        let mine = state.people.entry(person.clone()).or_default();
        mine.push_back(self.number);
        let oldest = if mine.len() > PER_PERSON { mine.pop_front() } else { None };
        if let Some(handle) = oldest.and_then(|number| state.open.get(&number)) {
            handle.tell(Order::Replace);
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
mod tests {
    use super::*;

    fn person(name: &str) -> UserId {
        UserId::parse(name).unwrap()
    }

    #[test]
    fn the_eleventh_socket_of_a_person_replaces_the_oldest_that_is_open() {
        let sockets = Arc::new(Sockets::default());
        let open = |name: &str| {
            let mut seat = sockets.admit();
            seat.belongs_to(&person(name));
            seat
        };
        let mut adas: Vec<Seat> = (0..10).map(|_| open("ada")).collect();
        let bob = open("bob");
        adas.remove(0);
        adas.push(open("ada"));
        assert!(adas.iter().all(|seat| seat.order().is_none()), "ten are open");
        adas.push(open("ada"));
        assert_eq!(adas[0].order(), Some(Order::Replace));
        assert!(adas[1..].iter().all(|seat| seat.order().is_none()));
        assert_eq!(bob.order(), None);
        drop((adas, bob));
        let state = sockets.lock();
        assert!(state.open.is_empty() && state.people.is_empty());
    }

    #[test]
    fn an_order_reaches_those_who_are_there_and_those_who_come_until_it_is_taken_back() {
        let sockets = Arc::new(Sockets::default());
        let early = sockets.admit();
        sockets.tell_all(Order::Resync);
        let late = sockets.admit();
        assert_eq!((early.order(), late.order()), (Some(Order::Resync), Some(Order::Resync)));
        sockets.relax(Order::Resync);
        assert_eq!(sockets.admit().order(), None);
        sockets.tell_all(Order::Drain);
        sockets.relax(Order::Resync);
        assert_eq!(sockets.admit().order(), Some(Order::Drain), "only what was said is taken back");
        assert_eq!(early.order(), Some(Order::Drain));
        sockets.tell_all(Order::Resync);
        assert_eq!(early.order(), Some(Order::Drain), "the gravest order stays");
    }
}
