//! Who of a room is online, as those who hear it are told: the last change of each person, with a number.
//!
//! Whoever was told up to a number is told what has a greater one. So nothing is queued for anybody who
//! takes little, and nobody who is late misses how it is in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use super::record::Person;
use crate::hub::{Offer, Told};
use crate::message::{RoomId, UserId};
use crate::ws::frame::Outbound;

/// What the ids of one frame take, in bytes: with what JSON adds less than what a line may keep for a client
/// that takes nothing.
const PART_BYTES: usize = 6 * 1024;

/// Each person's last change, and who is online after it.
#[derive(Debug, Default)]
pub struct RoomLog {
    people: BTreeMap<Arc<UserId>, Last>,
    /// Whose change has which number, from 1 on.
    numbers: BTreeMap<u64, Arc<UserId>>,
    last: u64,
}

#[derive(Debug)]
struct Last {
    number: u64,
    is_online: bool,
}

/// What changed, or a part of it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Part<'a> {
    online: Vec<&'a UserId>,
    offline: Vec<&'a UserId>,
    upto: u64,
}

impl RoomLog {
    /// Takes in who is online now.
    pub fn update(&mut self, people: Vec<Person>) {
        let online: BTreeSet<UserId> = people.into_iter().map(|person| person.user_id).collect();
        let is_gone = |(person, last): &(&Arc<UserId>, &Last)| {
            last.is_online && !online.contains(person.as_ref())
        };
        let gone = self.people.iter().filter(is_gone).map(|(person, _)| Arc::clone(person));
        for person in gone.collect::<Vec<_>>() {
            self.note(person, false);
        }
        for person in online {
            if !self.shows(&person) {
                self.note(Arc::new(person), true);
            }
        }
    }

    /// What there is to tell in this room.
    #[must_use]
    pub fn offer<'a>(&'a self, room_id: &'a RoomId) -> impl Offer + 'a {
        RoomOffer { room_id, log: self, memo: Mutex::default() }
    }

    fn shows(&self, person: &UserId) -> bool {
        self.people.get(person).is_some_and(|last| last.is_online)
    }

    fn note(&mut self, person: Arc<UserId>, is_online: bool) {
        self.last += 1;
        let last = Last { number: self.last, is_online };
        if let Some(before) = self.people.insert(Arc::clone(&person), last) {
            self.numbers.remove(&before.number);
        }
        self.numbers.insert(self.last, person);
    }

    /// What changed behind a number, as much of it as goes into one frame. Who knows nothing yet is not told
    /// who is offline.
    fn since(&self, known: u64) -> Option<Part<'_>> {
        let mut part = Part { online: Vec::new(), offline: Vec::new(), upto: known };
        let mut bytes = 0;
        for (number, person) in self.numbers.range(known + 1..) {
            let is_online = self.shows(person);
            if is_online || known > 0 {
                bytes += person.as_str().len();
                if bytes > PART_BYTES {
                    break;
                }
                let people = if is_online { &mut part.online } else { &mut part.offline };
                people.push(person.as_ref());
            }
            part.upto = *number;
        }
        Some(part).filter(|part| !part.online.is_empty() || !part.offline.is_empty())
    }
}

/// One pass over the listeners of a room, most of whom know the same.
struct RoomOffer<'a> {
    room_id: &'a RoomId,
    log: &'a RoomLog,
    /// What was made last, of those who know up to that number.
    memo: Mutex<Option<(u64, Option<Told>)>>,
}

impl RoomOffer<'_> {
    fn make(&self, known: u64) -> Option<Told> {
        let Part { online, offline, upto } = self.log.since(known)?;
        let frame =
            Outbound::Presence { room_id: self.room_id, online: &online, offline: &offline };
        Some(Told { frames: frame.framed(), version: upto, has_more: upto < self.log.last })
    }
}

impl Offer for RoomOffer<'_> {
    fn to(&self, person: Option<&UserId>, known: u64) -> Option<Told> {
        // Members have a connection here, so they are online; nobody else is told.
        if !person.is_some_and(|person| self.log.shows(person)) {
            return None;
        }
        // It is replaced whole.
        let mut memo = self.memo.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((from, told)) = &*memo
            && *from == known
        {
            return told.clone();
        }
        memo.insert((known, self.make(known))).1.clone()
    }
}

#[cfg(test)]
#[path = "room_log_tests.rs"]
mod tests;
