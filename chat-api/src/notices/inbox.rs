//! What one socket is to be told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::hub::Wake;
use crate::message::RoomId;
use crate::ws::notes::{Activity, Added, Removed};

/// What a socket is told at once: of each room one thing of a kind.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Notes {
    /// Rooms that the person came into.
    pub added: Vec<Added>,
    /// Rooms that the person went out of.
    pub removed: Vec<Removed>,
    /// Rooms in which something was said.
    pub activity: Vec<Activity>,
}

/// Notes for one socket.
#[derive(Debug)]
pub struct Inbox {
    wake: Arc<Wake>,
    has_news: AtomicBool,
    pending: Mutex<Pending>,
}

#[derive(Debug, Default)]
struct Pending {
    /// Rooms that the person came into, or went out of.
    memberships: BTreeMap<RoomId, Result<Added, Removed>>,
    activity: BTreeMap<RoomId, Activity>,
}

impl Inbox {
    /// An empty one, of the socket that waits on this.
    pub(super) fn new(wake: Arc<Wake>) -> Self {
        Self { wake, has_news: AtomicBool::new(false), pending: Mutex::default() }
    }

    /// Whether there is something.
    #[must_use]
    pub fn has_news(&self) -> bool {
        self.has_news.load(Ordering::Acquire)
    }

    /// Takes what there is out: what was said only if that is wanted.
    pub fn take(&self, with_activity: bool) -> Notes {
        let mut pending = self.lock();
        let mut notes = Notes::default();
        for membership in std::mem::take(&mut pending.memberships).into_values() {
            match membership {
                Ok(added) => notes.added.push(added),
                Err(removed) => notes.removed.push(removed),
            }
        }
        if with_activity {
            notes.activity = std::mem::take(&mut pending.activity).into_values().collect();
        }
        self.has_news.store(!pending.activity.is_empty(), Ordering::Release);
        notes
    }

    /// Notes that something was said in a room, by somebody else or not.
    pub(super) fn said(&self, room: &RoomId, activity: &Activity, is_of_another: bool) {
        let mut pending = self.lock();
        let more = u32::from(is_of_another);
        let noted = pending.activity.get(room).map_or(0, |before| before.more);
        let activity = Activity { more: noted.saturating_add(more), ..activity.clone() };
        pending.activity.insert(room.clone(), activity);
        self.notify();
    }

    pub(super) fn came(&self, added: &Added) {
        self.lock().memberships.insert(added.room_id.clone(), Ok(added.clone()));
        self.notify();
    }

    pub(super) fn went(&self, removed: Removed) {
        let mut pending = self.lock();
        pending.activity.remove(&removed.room_id);
        pending.memberships.insert(removed.room_id.clone(), Err(removed));
        self.notify();
    }

    /// Forgets what was said in a room.
    pub(super) fn forget(&self, room: &RoomId) {
        self.lock().activity.remove(room);
    }

    /// Under the lock, or after it: what was noted is seen by whoever sees that there is something.
    fn notify(&self) {
        if !self.has_news.swap(true, Ordering::AcqRel) {
            self.wake.notify();
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pending> {
        // Each access leaves the maps consistent.
        self.pending.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
