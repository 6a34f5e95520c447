//! Who is online: the people of this replica, and those of which the others told.
//!
//! [`Core`] is all of it without input, output and clock. [`Presence`] is the one that a replica shares
//! between its sockets, its requests and the workers that tell and hear.

mod core;
mod crowd;
mod life;
mod notice;
mod own;
mod record;
mod room_log;
mod roster;

use std::collections::HashSet;
use std::mem;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::message::{Author, RoomId, UserId};
use crate::rooms::PersonKey;
use notice::LastNotice;

pub use self::core::{Core, Counts, Pace};
pub use crowd::{Crowd, NAMED_MAX, RoomPresence};
pub use life::Outcome;
pub use notice::CountsNotice;
pub use record::{Boot, Person, Record, RecordError, Told};
pub use room_log::RoomLog;

/// Who is online, as this replica knows it.
pub struct Presence {
    core: Mutex<Core>,
    notice: LastNotice,
    /// Somebody went without the present counts.
    has_missed: AtomicBool,
    /// Rooms that somebody more hears.
    heard: Mutex<HashSet<RoomId>>,
    /// Cancelled when what the others told before is known here.
    pub warm: CancellationToken,
}

/// A connection of somebody, until it is dropped.
pub struct Visit {
    presence: Arc<Presence>,
    user_id: UserId,
    is_counted: bool,
}

impl Presence {
    /// Shared from here on.
    #[must_use]
    pub fn new(core: Core) -> Self {
        Self {
            core: Mutex::new(core),
            notice: LastNotice::default(),
            has_missed: AtomicBool::new(false),
            heard: Mutex::default(),
            warm: CancellationToken::new(),
        }
    }

    /// Somebody has a connection, until the returned value is dropped.
    #[must_use]
    pub fn enter(self: &Arc<Self>, author: &Author) -> Visit {
        let is_counted = self.core().enter(author);
        Visit { presence: Arc::clone(self), user_id: author.user_id.clone(), is_counted }
    }

    /// What the others are to be told now.
    #[must_use]
    pub fn due(&self, now: Instant, guests: u32) -> Vec<Record> {
        self.core().due(now, guests)
    }

    /// What the others are told at the end.
    #[must_use]
    pub fn farewell(&self) -> Record {
        self.core().farewell()
    }

    /// Takes what another process told.
    pub fn hear(&self, replica: &str, record: Record, now: Instant) -> Outcome {
        self.core().hear(replica, record, now)
    }

    /// How many are online, and how many other processes are alive.
    #[must_use]
    pub fn counts(&self) -> (Counts, usize) {
        let core = self.core();
        (core.counts(), core.peers())
    }

    /// How many are online, as it is told to sockets.
    #[must_use]
    pub fn notice(&self) -> Arc<CountsNotice> {
        let counts = self.core().counts();
        self.notice.of(counts)
    }

    /// Somebody who is to know how many are online could not be told.
    pub fn note_missed(&self) {
        self.has_missed.store(true, Ordering::Relaxed);
    }

    /// Whether there was such a one since this was last asked.
    #[must_use]
    pub fn take_missed(&self) -> bool {
        self.has_missed.swap(false, Ordering::Relaxed)
    }

    /// Somebody more hears a room, and is to know who of it is online.
    pub fn note_hearer(&self, room: &RoomId) {
        self.heard().insert(room.clone());
    }

    /// The rooms that somebody more hears since this was last asked.
    #[must_use]
    pub fn take_heard(&self) -> HashSet<RoomId> {
        mem::take(&mut *self.heard())
    }

    /// At most so many people, after that one in the order of ids, and whether there are more.
    #[must_use]
    pub fn page(&self, after: Option<&UserId>, limit: usize) -> (Vec<Person>, bool) {
        let core = self.core();
        let mut people = core.after(after);
        let page: Vec<Person> = people.by_ref().take(limit).collect();
        (page, people.next().is_some())
    }

    /// Who of a room is online.
    #[must_use]
    pub fn of_room(&self, crowd: &Crowd) -> RoomPresence {
        self.core().of_room(crowd)
    }

    /// Who came or went since this was last asked.
    #[must_use]
    pub fn take_changes(&self) -> HashSet<PersonKey> {
        self.core().take_changes()
    }

    fn heard(&self) -> MutexGuard<'_, HashSet<RoomId>> {
        // Each access leaves it whole.
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn core(&self) -> MutexGuard<'_, Core> {
        // A record that was taken by half is made good by the next snapshot.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Visit {
    fn drop(&mut self) {
        if self.is_counted {
            self.presence.core().leave(&self.user_id, Instant::now());
        }
    }
}
