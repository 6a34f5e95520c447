//! Who is known to a room, in little memory.

use std::collections::HashSet;

use sha2::{Digest as _, Sha256};

use crate::message::{Position, Standing, UserId};

/// What is known of the people of one room. Who has left keeps the place of that, so that what was
/// judged before does not count later.
///
/// A person takes 25 bytes, and with what the list has left at most 32: names are not kept, and the list
/// grows by an eighth.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(super) struct People {
    /// In the order of their keys.
    known: Vec<Known>,
    members: u32,
    owners: u32,
}

/// Bytes, so that nothing is lost to alignment.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Known {
    key: PersonKey,
    at: [u8; 8],
    standing: Standing,
}

/// The first 16 bytes of the SHA-256 of a subject: two people of whom both have one are not found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PersonKey([u8; 16]);

impl PersonKey {
    /// That of a person.
    #[must_use]
    pub fn of(person: &UserId) -> Self {
        let digest: [u8; 32] = Sha256::digest(person.as_str()).into();
        Self(std::array::from_fn(|index| digest[index]))
    }
}

impl People {
    /// What a person is, and since which record.
    pub(super) fn find(&self, person: &UserId) -> Option<(Standing, Position)> {
        let place = self.place(PersonKey::of(person)).ok()?;
        let Known { at, standing, .. } = &self.known[place];
        Some((*standing, Position::from_raw(i64::from_le_bytes(*at)).ok()?))
    }

    /// Sets what a person is from a record on.
    pub(super) fn set(&mut self, person: &UserId, standing: Standing, at: Position) {
        let key = PersonKey::of(person);
        let known = Known { key, at: at.raw().to_le_bytes(), standing };
        match self.place(key) {
            Ok(place) => {
                let before = std::mem::replace(&mut self.known[place], known).standing;
                self.members -= u32::from(before.is_in());
                self.owners -= u32::from(before == Standing::Owner);
            }
            Err(place) => {
                if self.known.len() == self.known.capacity() {
                    self.known.reserve_exact(1 + self.known.len() / 8);
                }
                self.known.insert(place, known);
            }
        }
        self.members += u32::from(standing.is_in());
        self.owners += u32::from(standing == Standing::Owner);
    }

    /// Who is in the room.
    pub(super) fn keys(&self) -> impl Iterator<Item = PersonKey> {
        self.known.iter().filter(|known| known.standing.is_in()).map(|known| known.key)
    }

    /// Whether one of these is known. The fewer are looked for among the others.
    pub(super) fn has_any(&self, people: &HashSet<PersonKey>) -> bool {
        if people.len() < self.known.len() {
            people.iter().any(|person| self.place(*person).is_ok())
        } else {
            self.known.iter().any(|known| people.contains(&known.key))
        }
    }

    /// How many are in the room.
    pub(super) fn members(&self) -> u32 {
        self.members
    }

    /// How many of those own it.
    pub(super) fn owners(&self) -> u32 {
        self.owners
    }

    /// Whether anybody in the room is blocked.
    pub(super) fn has_blocked(&self) -> bool {
        self.known.iter().any(|known| known.standing == Standing::Blocked)
    }

    /// How much memory it takes, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.known.capacity() * size_of::<Known>()
    }

    fn place(&self, key: PersonKey) -> Result<usize, usize> {
        self.known.binary_search_by_key(&key, |known| known.key)
    }
}

#[cfg(test)]
#[path = "people_tests.rs"]
mod tests;
