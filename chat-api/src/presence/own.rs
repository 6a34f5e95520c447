//! The people of this process: who has a connection here, or had one a moment ago.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::time::Duration;

use tokio::time::Instant;

use super::record::Person;
use super::roster::Roster;
use crate::message::{UserId, UserName};

/// How many people one process tells of at most: twice the sockets that it is good for. Whoever comes
/// besides is served, and not counted.
pub(super) const PEOPLE_MAX: usize = 100_000;

/// Who is online here.
pub(super) struct Own {
    people: BTreeMap<UserId, Here>,
    /// Those without a connection, and when they are offline.
    leaving: BTreeSet<(Instant, UserId)>,
    grace: Duration,
    /// Who came, went or has another name since the others were told.
    changed: HashSet<UserId>,
}

struct Here {
    user_name: UserName,
    connections: usize,
    /// When this person is offline, if no connection comes before.
    until: Option<Instant>,
}

impl Own {
    /// Nobody yet. Whoever has no connection any more stays online for `grace`.
    pub(super) fn new(grace: Duration) -> Self {
        let (people, leaving) = (BTreeMap::new(), BTreeSet::new());
        Self { people, leaving, grace, changed: HashSet::new() }
    }

    /// One more connection of a person. `false` if there are too many people to count this one.
    pub(super) fn enter(&mut self, person: Person, roster: &mut Roster) -> bool {
        let Person { user_id, user_name } = person;
        if let Some(here) = self.people.get_mut(&user_id) {
            here.connections += 1;
            if let Some(until) = here.until.take() {
                self.leaving.remove(&(until, user_id.clone()));
            }
            if here.user_name != user_name {
                here.user_name = user_name.clone();
                roster.rename(&user_id, user_name);
                self.changed.insert(user_id);
            }
            return true;
        }
        if self.people.len() >= PEOPLE_MAX {
            return false;
        }
        roster.hold(&user_id, &user_name);
        self.changed.insert(user_id.clone());
        self.people.insert(user_id, Here { user_name, connections: 1, until: None });
        true
    }

    /// One connection less of a person who was counted.
    pub(super) fn leave(&mut self, user_id: &UserId, now: Instant) {
        let Some(here) = self.people.get_mut(user_id) else { return };
        here.connections = here.connections.saturating_sub(1);
        if here.connections == 0 && here.until.is_none() {
            let until = now + self.grace;
            here.until = Some(until);
            self.leaving.insert((until, user_id.clone()));
        }
    }

    /// Whoever has had no connection for long enough is offline.
    pub(super) fn expire(&mut self, now: Instant, roster: &mut Roster) {
        while let Some((until, _)) = self.leaving.first()
            && *until <= now
            && let Some((_, user_id)) = self.leaving.pop_first()
        {
            self.people.remove(&user_id);
            roster.release(&user_id);
            self.changed.insert(user_id);
        }
    }

    /// Everybody, in the order of their ids.
    pub(super) fn all(&mut self) -> impl Iterator<Item = Person> {
        self.changed.clear();
        self.people.iter().map(|(user_id, here)| here.person(user_id))
    }

    /// Who came or has another name, and who went, since this was last asked, or [`Own::all`] was.
    pub(super) fn changes(&mut self) -> (Vec<Person>, Vec<UserId>) {
        let (mut joined, mut left) = (Vec::new(), Vec::new());
        for user_id in self.changed.drain() {
            match self.people.get(&user_id) {
                Some(here) => joined.push(here.person(&user_id)),
                None => left.push(user_id),
            }
        }
        (joined, left)
    }
}

impl Here {
    fn person(&self, user_id: &UserId) -> Person {
        Person { user_id: user_id.clone(), user_name: self.user_name.clone() }
    }
}
