//! What is known of the people of another process, from its records as they come: some are lost, some come
//! again, some late.
//!
//! The number of a record says whether something is missing before it. Then what is known stays as it is,
//! however old, until a snapshot has come whole.

use std::collections::HashMap;
use std::mem;
use std::time::Duration;

use tokio::time::Instant;

use super::own::PEOPLE_MAX;
use super::record::{Person, Record, Told};
use super::roster::Roster;
use crate::message::{UserId, UserName};

/// A process is taken for dead after so many snapshots that did not come.
pub(super) const MISSED: u32 = 3;
/// The longest and the shortest pause between two snapshots that is believed.
const EVERY_MAX: Duration = Duration::from_mins(1);
const EVERY_MIN: Duration = Duration::from_millis(100);

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// What is known is what the process told with it.
    Applied,
    /// A part of a snapshot that is not whole yet.
    Collected,
    /// It came before, or something later did.
    Old,
    /// Something before it is missing.
    Gap,
    /// It tells what only a later release understands.
    Unknown,
    /// There are more people, or processes, than are believed.
    TooMany,
    /// It is of this process.
    Own,
}

/// Another process, as it is known here.
pub(super) struct Life {
    people: HashMap<UserId, UserName>,
    guests: u32,
    /// The number of the last record.
    seen: Option<u64>,
    /// Nothing is missing since the last snapshot.
    is_whole: bool,
    /// The parts of a snapshot so far.
    collected: Option<Collected>,
    every: Duration,
    /// When the process is taken for dead, if nothing comes before.
    until: Instant,
    has_left: bool,
}

struct Collected {
    next: u32,
    of: u32,
    people: Vec<Person>,
}

impl Life {
    /// A process that was never heard of before, and sends snapshots about so often.
    pub(super) fn new(now: Instant, every: Duration) -> Self {
        Self {
            people: HashMap::new(),
            guests: 0,
            seen: None,
            is_whole: false,
            collected: None,
            every,
            until: now + every * MISSED,
            has_left: false,
        }
    }

    /// Takes the next record of this process. It came at `now`.
    pub(super) fn take(&mut self, record: Record, now: Instant, roster: &mut Roster) -> Outcome {
        let Record { seq, told, .. } = record;
        if self.seen.is_some_and(|seen| seq <= seen) {
            return Outcome::Old;
        }
        let is_next = self.seen.is_some_and(|seen| seq == seen.saturating_add(1));
        if !is_next {
            self.is_whole = false;
            self.collected = None;
        }
        self.seen = Some(seq);
        if !self.has_left {
            self.until = self.until.max(now + self.every * MISSED);
        }
        match told {
            Told::Snapshot { chunk, of, every, people, guests } => {
                self.every = Duration::from_millis(every).clamp(EVERY_MIN, EVERY_MAX);
                let Some(people) = self.collect(chunk, of, people) else {
                    return if self.collected.is_some() {
                        Outcome::Collected
                    } else {
                        Outcome::Gap
                    };
                };
                if people.len() > PEOPLE_MAX {
                    return Outcome::TooMany;
                }
                if !self.has_left {
                    self.until = now + self.every * MISSED;
                }
                self.guests = guests;
                self.is_whole = true;
                self.replace(people, roster);
                Outcome::Applied
            }
            Told::Delta { .. } if !self.is_whole => Outcome::Gap,
            Told::Delta { joined, left, guests } => {
                self.guests = guests;
                for user_id in left {
                    self.remove(&user_id, roster);
                }
                self.add(joined, roster)
            }
            Told::Leave { linger } => {
                self.fade(now, Duration::from_millis(linger).min(EVERY_MAX));
                Outcome::Applied
            }
            Told::Other => Outcome::Unknown,
        }
    }

    /// Its people are online for so long at most, whatever comes.
    pub(super) fn fade(&mut self, now: Instant, linger: Duration) {
        self.has_left = true;
        self.until = self.until.min(now + linger);
    }

    /// When it is taken for dead.
    pub(super) fn until(&self) -> Instant {
        self.until
    }

    /// How many guests it has.
    pub(super) fn guests(&self) -> u32 {
        self.guests
    }

    /// It has nobody any more.
    pub(super) fn end(self, roster: &mut Roster) {
        for user_id in self.people.keys() {
            roster.release(user_id);
        }
    }

    /// Everybody of a snapshot, if this was its last part and all others came before it.
    fn collect(&mut self, chunk: u32, of: u32, people: Vec<Person>) -> Option<Vec<Person>> {
        let mut so_far = match self.collected.take() {
            _ if chunk == 0 => Collected { next: 0, of, people: Vec::new() },
            Some(so_far) if so_far.next == chunk && so_far.of == of => so_far,
            _ => return None,
        };
        // One more than are believed is enough to tell that there are too many.
        let room = (PEOPLE_MAX + 1).saturating_sub(so_far.people.len());
        so_far.people.extend(people.into_iter().take(room));
        so_far.next += 1;
        if so_far.next >= so_far.of {
            return Some(so_far.people);
        }
        self.collected = Some(so_far);
        None
    }

    /// These are its people, and no others.
    fn replace(&mut self, people: Vec<Person>, roster: &mut Roster) {
        let mut before = mem::take(&mut self.people);
        for Person { user_id, user_name } in people {
            if self.people.contains_key(&user_id) {
                continue;
            }
            // Most are there already: then their texts are kept once.
            match before.remove_entry(&user_id) {
                Some((user_id, known)) if known == user_name => {
                    self.people.insert(user_id, known);
                }
                Some((user_id, _)) => {
                    roster.rename(&user_id, user_name.clone());
                    self.people.insert(user_id, user_name);
                }
                None => {
                    roster.hold(&user_id, &user_name);
                    self.people.insert(user_id, user_name);
                }
            }
        }
        for user_id in before.keys() {
            roster.release(user_id);
        }
    }

    fn add(&mut self, people: Vec<Person>, roster: &mut Roster) -> Outcome {
        for Person { user_id, user_name } in people {
            if let Some(known) = self.people.get_mut(&user_id) {
                if *known != user_name {
                    roster.rename(&user_id, user_name.clone());
                    *known = user_name;
                }
                continue;
            }
            if self.people.len() >= PEOPLE_MAX {
                return Outcome::TooMany;
            }
            roster.hold(&user_id, &user_name);
            self.people.insert(user_id, user_name);
        }
        Outcome::Applied
    }

    fn remove(&mut self, user_id: &UserId, roster: &mut Roster) {
        if self.people.remove(user_id).is_some() {
            roster.release(user_id);
        }
    }
}
