//! What a process tells the others of the people it has: the records of the topic with presence, as JSON.
//!
//! A record has a number, `seq`, one more than the one before of the same process: whoever reads notices what
//! is missing, and waits for the next snapshot. Fields may be added. What says another `v` is passed over; of
//! another `kind` the number alone is known.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::message::{Author, UserId, UserName};

/// The version of the form that this release writes, and the only one that it reads.
const VERSION: u64 = 1;
/// What the people of one record may take, about, in bytes: JSON may write a character as two. Some 400 people
/// with names of a usual length.
const CHUNK_BYTES: usize = 32 * 1024;
/// What a person takes besides id and name: names of fields, quotes, a comma.
const AROUND: usize = 32;

/// One life of a process. A process that comes later has a greater one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Boot(Uuid);

impl Boot {
    /// The life with this id, of a kind that sorts by time (UUIDv7).
    #[must_use]
    pub fn new(id: Uuid) -> Self {
        Self(id)
    }
}

/// Somebody who is online.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The subject of the token.
    pub user_id: UserId,
    /// The name to show.
    pub user_name: UserName,
}

impl From<&Author> for Person {
    fn from(author: &Author) -> Self {
        Self { user_id: author.user_id.clone(), user_name: author.user_name.clone() }
    }
}

/// A record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Whose it is.
    pub boot: Boot,
    /// Its number.
    pub seq: u64,
    /// What it tells.
    pub told: Told,
}

/// What a record tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Told {
    /// A part of everybody this process has. The parts of one snapshot have numbers that follow each other.
    Snapshot {
        /// Which part, from 0.
        chunk: u32,
        /// How many there are.
        of: u32,
        /// Milliseconds until the next snapshot.
        every: u64,
        /// The people of this part.
        people: Vec<Person>,
        /// How many sockets are those of guests.
        guests: u32,
    },
    /// What changed since the record before.
    Delta {
        /// Who came online, or has another name.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        joined: Vec<Person>,
        /// Who went offline.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        left: Vec<UserId>,
        /// How many sockets are those of guests.
        guests: u32,
    },
    /// The process ends in order: nothing comes after this.
    Leave {
        /// Milliseconds for which its people are still online: they are on their way to another one.
        linger: u64,
    },
    /// Something that only a later release tells.
    #[serde(other)]
    Other,
}

/// Why a record cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// Not what a record looks like.
    #[error("no record of presence: line {line}, column {column}")]
    Malformed {
        /// Line of the first fault, from 1.
        line: usize,
        /// Column of the first fault, from 1.
        column: usize,
    },
    /// A later release wrote it.
    #[error("version {0} of the record's form is not known")]
    Newer(u64),
}

#[derive(Serialize)]
struct Written<'a> {
    v: u64,
    boot: Boot,
    seq: u64,
    #[serde(flatten)]
    told: &'a Told,
}

#[derive(Deserialize)]
struct Head {
    v: u64,
}

#[derive(Deserialize)]
struct Read {
    boot: Boot,
    seq: u64,
    #[serde(flatten)]
    told: Told,
}

impl Record {
    /// The value of the record in the topic.
    ///
    /// # Panics
    /// Never: a record is plain data with text keys.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let Self { boot, seq, told } = self;
        let written = Written { v: VERSION, boot: *boot, seq: *seq, told };
        serde_json::to_vec(&written).expect("a record is plain data with text keys")
    }

    /// Reads a value of the topic.
    pub fn decode(value: &[u8]) -> Result<Self, RecordError> {
        let malformed = |error: serde_json::Error| RecordError::Malformed {
            line: error.line(),
            column: error.column(),
        };
        let Head { v } = serde_json::from_slice(value).map_err(malformed)?;
        if v != VERSION {
            return Err(RecordError::Newer(v));
        }
        let Read { boot, seq, told } = serde_json::from_slice(value).map_err(malformed)?;
        Ok(Self { boot, seq, told })
    }
}

/// People, in as many parts as records should have; one part at least.
pub(super) fn chunks(people: impl IntoIterator<Item = Person>) -> Vec<Vec<Person>> {
    parts(people, |person| person.user_id.as_str().len() + person.user_name.as_str().len())
}

/// The same of ids alone; none if there are none.
pub(super) fn id_chunks(ids: Vec<UserId>) -> Vec<Vec<UserId>> {
    if ids.is_empty() { Vec::new() } else { parts(ids, |id| id.as_str().len()) }
}

fn parts<T>(items: impl IntoIterator<Item = T>, bytes_of: impl Fn(&T) -> usize) -> Vec<Vec<T>> {
    let (mut parts, mut part, mut bytes) = (Vec::new(), Vec::new(), 0);
    for item in items {
        bytes += AROUND + bytes_of(&item);
        if bytes > CHUNK_BYTES && !part.is_empty() {
            parts.push(std::mem::take(&mut part));
            bytes = AROUND + bytes_of(&item);
        }
        part.push(item);
    }
    parts.push(part);
    parts
}

#[cfg(test)]
#[path = "record_tests.rs"]
mod tests;
