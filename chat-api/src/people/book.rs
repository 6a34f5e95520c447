//! What this replica has seen of people, and what of that is still to be stored.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use tokio::sync::mpsc;

use super::person::Person;
use crate::message::UserId;
use crate::metrics;

/// People whose tokens are remembered: some 200 bytes each.
const KNOWN: u64 = 50_000;
/// For how long: another replica may have heard something else of the same person since. So each replica stores
/// somebody whom nothing changes once in this time.
const KNOWN_FOR: Duration = Duration::from_hours(1);
/// People who wait to be stored: as many as sign in at one replica within seconds, all of them after a restart.
const QUEUE: usize = 10_000;

/// What this replica has seen of people lately.
pub struct Book {
    known: Cache<UserId, Known>,
    queue: mpsc::Sender<Person>,
}

/// What was seen of somebody last.
#[derive(Clone, Copy)]
struct Known {
    said: u64,
    issued_at: DateTime<Utc>,
}

impl Book {
    /// An empty one, and whoever is to be stored, in the order in which they were seen.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<Person>) {
        let (queue, people) = mpsc::channel(QUEUE);
        let known = Cache::builder().max_capacity(KNOWN).time_to_live(KNOWN_FOR).build();
        (Self { known, queue }, people)
    }

    /// Notes what a token says, and waits for nothing. What was seen already is not stored again. If too many wait,
    /// it is dropped and counted; the person's next token makes up for it.
    pub fn note(&self, person: Person) {
        let now = Known { said: said(&person), issued_at: person.issued_at };
        if self.known.get(&person.id).is_some_and(|known| known.covers(now)) {
            return;
        }
        let id = person.id.clone();
        if self.queue.try_send(person).is_ok() {
            self.known.insert(id, now);
        } else {
            ::metrics::counter!(metrics::PEOPLE, "outcome" => metrics::DROPPED).increment(1);
        }
    }
}

impl Known {
    /// Whether there is nothing in the other one to be stored: it says the same, or is older.
    fn covers(self, other: Self) -> bool {
        self.said == other.said || self.issued_at > other.issued_at
    }
}

/// Stands for what is said of a person. Two that differ are as good as never the same, and if they were, the hour
/// would be over some time.
fn said(person: &Person) -> u64 {
    let mut hasher = DefaultHasher::new();
    (person.name.as_str(), &person.email).hash(&mut hasher);
    hasher.finish()
}

#[cfg(test)]
#[path = "book_tests.rs"]
mod tests;
