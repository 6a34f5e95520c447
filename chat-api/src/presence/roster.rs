//! Everybody who is online, whichever processes have them: each person once.

use std::collections::{BTreeMap, HashSet};
use std::mem;
use std::ops::Bound;

use super::record::Person;
use crate::message::{UserId, UserName};

/// Who is online, in the order of their ids.
#[derive(Default)]
pub(super) struct Roster {
    people: BTreeMap<UserId, Entry>,
    /// Who came or went since somebody asked.
    changed: HashSet<UserId>,
}

struct Entry {
    user_name: UserName,
    /// How many processes have this person.
    holders: usize,
}

/// Somebody who came online or went offline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Online now.
    Online(Person),
    /// Offline now.
    Offline(UserId),
}

impl Roster {
    /// One more process has this person. The name that was told last is shown.
    pub(super) fn hold(&mut self, user_id: &UserId, user_name: &UserName) {
        if let Some(entry) = self.people.get_mut(user_id) {
            entry.holders += 1;
            if entry.user_name != *user_name {
                entry.user_name = user_name.clone();
            }
            return;
        }
        self.people.insert(user_id.clone(), Entry { user_name: user_name.clone(), holders: 1 });
        self.changed.insert(user_id.clone());
    }

    /// One process less has this person.
    pub(super) fn release(&mut self, user_id: &UserId) {
        let Some(entry) = self.people.get_mut(user_id) else { return };
        entry.holders -= 1;
        if entry.holders == 0 {
            self.people.remove(user_id);
            self.changed.insert(user_id.clone());
        }
    }

    /// Somebody has another name.
    pub(super) fn rename(&mut self, user_id: &UserId, user_name: UserName) {
        if let Some(entry) = self.people.get_mut(user_id) {
            entry.user_name = user_name;
        }
    }

    /// How many people are online.
    pub(super) fn count(&self) -> usize {
        self.people.len()
    }

    /// Somebody who may be online.
    pub(super) fn person(&self, user_id: &UserId) -> Option<Person> {
        let (user_id, entry) = self.people.get_key_value(user_id)?;
        Some(person(user_id, entry))
    }

    /// Everybody after an id, in the order of ids.
    pub(super) fn after(&self, user_id: Option<&UserId>) -> impl Iterator<Item = Person> {
        let from = user_id.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.people.range::<UserId, _>((from, Bound::Unbounded));
        range.map(|(user_id, entry)| person(user_id, entry))
    }

    /// Who came or went since this was last asked. Whoever did both is as now.
    pub(super) fn take_changes(&mut self) -> Vec<Change> {
        let changed = mem::take(&mut self.changed);
        let change = |user_id: UserId| match self.people.get_key_value(&user_id) {
            Some((user_id, entry)) => Change::Online(person(user_id, entry)),
            None => Change::Offline(user_id),
        };
        changed.into_iter().map(change).collect()
    }
}

fn person(user_id: &UserId, entry: &Entry) -> Person {
    Person { user_id: user_id.clone(), user_name: entry.user_name.clone() }
}
