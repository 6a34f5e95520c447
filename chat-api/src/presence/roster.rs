//! Everybody who is online, whichever processes have them: each person once.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::mem;
use std::ops::Bound;

use super::record::Person;
use crate::message::{UserId, UserName};
use crate::rooms::PersonKey;

/// Who is online, in the order of their ids.
#[derive(Default)]
pub(super) struct Roster {
    people: BTreeMap<UserId, Entry>,
    /// The same people as rooms know them.
    keys: HashMap<PersonKey, UserId>,
    /// Who came or went since somebody asked.
    changed: HashSet<PersonKey>,
}

struct Entry {
    user_name: UserName,
    /// How many processes have this person.
    holders: usize,
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
        let key = PersonKey::of(user_id);
        self.keys.insert(key, user_id.clone());
        self.changed.insert(key);
    }

    /// One process less has this person.
    pub(super) fn release(&mut self, user_id: &UserId) {
        let Some(entry) = self.people.get_mut(user_id) else { return };
        entry.holders -= 1;
        if entry.holders == 0 {
            self.people.remove(user_id);
            let key = PersonKey::of(user_id);
            self.keys.remove(&key);
            self.changed.insert(key);
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
    pub(super) fn person(&self, key: PersonKey) -> Option<Person> {
        let user_id = self.keys.get(&key)?;
        Some(person(user_id, self.people.get(user_id)?))
    }

    /// Everybody after an id, in the order of ids.
    pub(super) fn after(&self, user_id: Option<&UserId>) -> impl Iterator<Item = Person> {
        let from = user_id.map_or(Bound::Unbounded, Bound::Excluded);
        let range = self.people.range::<UserId, _>((from, Bound::Unbounded));
        range.map(|(user_id, entry)| person(user_id, entry))
    }

    /// Who came or went since this was last asked.
    pub(super) fn take_changes(&mut self) -> HashSet<PersonKey> {
        mem::take(&mut self.changed)
    }
}

fn person(user_id: &UserId, entry: &Entry) -> Person {
    Person { user_id: user_id.clone(), user_name: entry.user_name.clone() }
}
