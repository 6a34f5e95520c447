//! Who is online in the whole system, as one process knows it: its own people, and what the others told.
//!
//! No input, no output and no clock: what is to be told is asked for, what was heard is handed in, each with
//! the time.

use std::collections::{HashMap, HashSet};
use std::mem;
use std::time::Duration;

use tokio::time::Instant;

use super::life::{Life, MISSED, Outcome};
use super::own::Own;
use super::record::{Boot, Person, Record, Told, chunks, id_chunks};
use super::roster::Roster;
use crate::message::{Author, UserId};
use crate::rooms::PersonKey;

/// How many other processes are believed: more than any installation has replicas of this service.
const LIVES_MAX: usize = 1_000;

/// How often others are told, and how long somebody without a connection is still online.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// Between two snapshots.
    pub every: Duration,
    /// From the end of a person's last connection until that person is offline.
    pub grace: Duration,
}

impl Pace {
    /// After how long without a record others take a process for dead.
    #[must_use]
    pub fn silence(self) -> Duration {
        self.every * MISSED
    }
}

/// How many are online.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// People, however many sockets each has.
    pub signed_in: usize,
    /// Sockets of guests.
    pub guests: u64,
}

/// Who is online, as one process knows it.
pub struct Core {
    replica: String,
    boot: Boot,
    pace: Pace,
    own: Own,
    guests: u32,
    /// The number of the next record.
    seq: u64,
    /// When the next snapshot is due.
    snapshot_at: Option<Instant>,
    others: HashMap<String, (Boot, Life)>,
    /// Lives that are over: those of processes that began anew under the same name.
    fading: Vec<Life>,
    roster: Roster,
}

impl Core {
    /// A process of that name in this life, which has nobody and knows nobody.
    #[must_use]
    pub fn new(replica: String, boot: Boot, pace: Pace) -> Self {
        Self {
            replica,
            boot,
            pace,
            own: Own::new(pace.grace),
            guests: 0,
            seq: 0,
            snapshot_at: None,
            others: HashMap::new(),
            fading: Vec::new(),
            roster: Roster::default(),
        }
    }

    /// One more connection of a person. `false` if there are too many people to count this one.
    #[must_use]
    pub fn enter(&mut self, author: &Author) -> bool {
        self.own.enter(Person::from(author), &mut self.roster)
    }

    /// The end of a connection that was counted.
    pub fn leave(&mut self, user_id: &UserId, now: Instant) {
        self.own.leave(user_id, now);
    }

    /// What the others are to be told now, in this order. `guests` are the sockets of guests at this
    /// process.
    #[must_use]
    pub fn due(&mut self, now: Instant, guests: u32) -> Vec<Record> {
        self.expire(now);
        let had = mem::replace(&mut self.guests, guests);
        if self.snapshot_at.is_none_or(|at| at <= now) {
            self.snapshot_at = Some(now + self.pace.every);
            return self.snapshot();
        }
        let (joined, left) = self.own.changes();
        // A record without anybody tells of guests alone.
        let nobody_came = joined.is_empty() && (!left.is_empty() || had == guests);
        let joins = if nobody_came { Vec::new() } else { chunks(joined) };
        let joins =
            joins.into_iter().map(|joined| Told::Delta { joined, left: Vec::new(), guests });
        let leaves = id_chunks(left).into_iter();
        let leaves = leaves.map(|left| Told::Delta { joined: Vec::new(), left, guests });
        joins.chain(leaves).map(|told| self.record(told)).collect()
    }

    /// What the others are told at the end.
    #[must_use]
    pub fn farewell(&mut self) -> Record {
        let linger = u64::try_from(self.pace.grace.as_millis()).unwrap_or(u64::MAX);
        self.record(Told::Leave { linger })
    }

    /// Takes what a process of that name told. It came at `now`.
    pub fn hear(&mut self, replica: &str, record: Record, now: Instant) -> Outcome {
        // A later life under this process's name is that of another one which was given the same.
        if replica == self.replica && record.boot <= self.boot {
            return Outcome::Own;
        }
        if !self.others.contains_key(replica) {
            if self.others.len() >= LIVES_MAX {
                return Outcome::TooMany;
            }
            let life = (record.boot, Life::new(now, self.pace.every));
            self.others.insert(replica.to_owned(), life);
        }
        let Some((boot, life)) = self.others.get_mut(replica) else { return Outcome::TooMany };
        if record.boot < *boot {
            return Outcome::Old;
        }
        if record.boot > *boot {
            let mut before = mem::replace(life, Life::new(now, self.pace.every));
            *boot = record.boot;
            // Its people are on their way, to this life or to others.
            before.fade(now, self.pace.grace);
            if self.fading.len() < LIVES_MAX {
                self.fading.push(before);
            } else {
                before.end(&mut self.roster);
            }
        }
        life.take(record, now, &mut self.roster)
    }

    /// Forgets whoever is not online any more.
    pub fn expire(&mut self, now: Instant) {
        self.own.expire(now, &mut self.roster);
        let roster = &mut self.roster;
        for (_, (_, life)) in self.others.extract_if(|_, (_, life)| life.until() <= now) {
            life.end(roster);
        }
        for life in self.fading.extract_if(.., |life| life.until() <= now) {
            life.end(roster);
        }
    }

    /// How many are online.
    #[must_use]
    pub fn counts(&self) -> Counts {
        let others = self.others.values().map(|(_, life)| u64::from(life.guests()));
        let guests = others.sum::<u64>() + u64::from(self.guests);
        Counts { signed_in: self.roster.count(), guests }
    }

    /// How many other processes are alive.
    #[must_use]
    pub fn peers(&self) -> usize {
        self.others.len()
    }

    /// Everybody who is online, in the order of ids, after that one.
    pub fn after(&self, user_id: Option<&UserId>) -> impl Iterator<Item = Person> {
        self.roster.after(user_id)
    }

    /// Somebody, if online.
    #[must_use]
    pub fn person(&self, key: PersonKey) -> Option<Person> {
        self.roster.person(key)
    }

    /// Who came or went since this was last asked.
    #[must_use]
    pub fn take_changes(&mut self) -> HashSet<PersonKey> {
        self.roster.take_changes()
    }

    fn snapshot(&mut self) -> Vec<Record> {
        let every = u64::try_from(self.pace.every.as_millis()).unwrap_or(u64::MAX);
        let chunks = chunks(self.own.all());
        let of = u32::try_from(chunks.len()).unwrap_or(u32::MAX);
        let guests = self.guests;
        let part = |(chunk, people)| Told::Snapshot { chunk, of, every, people, guests };
        (0..of).zip(chunks).map(|part_of| self.record(part(part_of))).collect()
    }

    fn record(&mut self, told: Told) -> Record {
        let seq = self.seq;
        self.seq += 1;
        Record { boot: self.boot, seq, told }
    }
}

#[cfg(test)]
#[path = "core_tests.rs"]
mod tests;

#[cfg(test)]
#[path = "model_tests.rs"]
mod model_tests;
