//! What was said lately, and who waits for more.
//!
//! There is one shard per partition. It holds the ids of the last records ([`Window`]) and, apart from
//! them, one [`Ring`] of events in the log's order and a list of connections to wake. Nothing is pushed to
//! a connection: it is woken, and reads.

mod entry;
mod ring;
mod unloaded;
mod wake;
mod window;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::message::{Event, MessageId, Partition, Position, RoomId};

pub use entry::{Entry, Meta};
pub use ring::{Page, Ring};
use unloaded::Unloaded;
pub use wake::{RoomWake, Wake};
pub use window::{Recalled, SPAN, Window};

/// How many records a cursor of another replica may be ahead of this one. A cursor beyond that is
/// not of this log.
const AHEAD_MAX: i64 = 100_000;

/// The shards of all partitions.
pub struct Hub {
    shards: Vec<Shard>,
    ring_bytes: usize,
    span: i64,
}

struct Shard {
    /// Asked by whoever sends something again, and by the partition's reader; never held with the
    /// other lock.
    window: Mutex<Window>,
    state: Mutex<ShardState>,
    /// The ring's head, for those who wait for a position and not for a room.
    head: watch::Sender<Position>,
}

struct ShardState {
    ring: Ring,
    listeners: HashMap<RoomId, Vec<Arc<RoomWake>>>,
    unloaded: Unloaded,
}

/// Why a room cannot be read from a place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubReadError {
    /// The place lies below the ring's floor, which is here.
    Below(Position),
    /// Nothing certain is known of the room until this replica is upgraded.
    Unloaded,
}

/// What became of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Taken {
    /// It is an event for whoever listens.
    New,
    /// Its id occurred before.
    Repeat,
}

impl Hub {
    /// A hub whose rings begin at these positions, in the order of their partitions, and hold at most
    /// `ring_bytes` each. Ids are remembered for `span` offsets.
    #[must_use]
    pub fn new(starts: &[Position], ring_bytes: usize, span: i64) -> Self {
        let shard = |start: &Position| Shard {
            window: Mutex::new(Window::new(span)),
            state: Mutex::new(ShardState {
                ring: Ring::new(*start, ring_bytes),
                listeners: HashMap::new(),
                unloaded: Unloaded::default(),
            }),
            head: watch::Sender::new(*start),
        };
        Self { shards: starts.iter().map(shard).collect(), ring_bytes, span }
    }

    /// Takes in the next record of a partition and wakes whoever waits for its room. A record
    /// before the ring's beginning only leaves its id.
    #[must_use]
    pub fn take(&self, event: &Event) -> Taken {
        let Event { partition, position, envelope } = event;
        let (position, room) = (*position, &envelope.room_id);
        let shard = &self.shards[partition.index()];
        let record = Recalled { position, body_hash: envelope.body_hash() };
        let first = shard.window().note(record, envelope.message_id);
        let state = shard.state();
        let (warming, previous) = (position < state.ring.head(), state.ring.last(room));
        drop(state);
        if warming {
            return if first { Taken::New } else { Taken::Repeat };
        }
        if !first {
            self.skip(*partition, position);
            return Taken::Repeat;
        }
        // Only the partition's one reader comes here, so the previous event stays the previous one.
        let entry = Arc::new(Entry::of(event, previous));
        let mut state = shard.state();
        state.ring.push(entry);
        for wake in state.listeners.get(room).into_iter().flatten() {
            wake.notify();
        }
        drop(state);
        shard.head.send_replace(position.next());
        Taken::New
    }

    /// Sends an entry in the place of the one at its position from now on, if the ring holds that and it
    /// is of the same room. Whoever was sent the other one is not woken.
    pub fn replace(&self, partition: Partition, entry: Entry) -> bool {
        self.shards[partition.index()].state().ring.replace(Arc::new(entry))
    }

    /// Passes a record that is an event for nobody.
    pub fn skip(&self, partition: Partition, position: Position) {
        let shard = &self.shards[partition.index()];
        let mut state = shard.state();
        state.ring.skip(position);
        let head = state.ring.head();
        drop(state);
        shard.head.send_replace(head);
    }

    /// Passes a record that changed a room in a way that this release does not understand: from here on
    /// the room cannot be read. `false` if it could not before.
    #[must_use]
    pub fn unload(&self, partition: Partition, position: Position, room: &RoomId) -> bool {
        let mut state = self.shards[partition.index()].state();
        let is_news = state.unloaded.add(room);
        for wake in state.listeners.get(room).into_iter().flatten() {
            wake.notify();
        }
        drop(state);
        self.skip(partition, position);
        is_news
    }

    /// Whether a room waits for a later release of this program.
    #[must_use]
    pub fn is_unloaded(&self, partition: Partition, room: &RoomId) -> bool {
        self.shards[partition.index()].state().unloaded.holds(room)
    }

    /// Forgets a partition and begins again at another position. What lies below is the archive's.
    pub fn restart(&self, partition: Partition, start: Position) {
        let shard = &self.shards[partition.index()];
        *shard.window() = Window::new(self.span);
        shard.state().ring = Ring::new(start, self.ring_bytes);
        shard.head.send_replace(start);
    }

    /// The events of a room from `next` on, until they have `budget` bytes.
    pub fn read(
        &self,
        partition: Partition,
        room: &RoomId,
        next: Position,
        budget: usize,
    ) -> Result<Page, HubReadError> {
        let state = self.shards[partition.index()].state();
        if state.unloaded.holds(room) {
            return Err(HubReadError::Unloaded);
        }
        state.ring.read(room, next, budget).map_err(HubReadError::Below)
    }

    /// The position after the last record that was read of a partition.
    #[must_use]
    pub fn head(&self, partition: Partition) -> Position {
        *self.shards[partition.index()].head.borrow()
    }

    /// Whether a position lies so far beyond a partition's head that no replica has read it.
    #[must_use]
    pub fn is_beyond(&self, partition: Partition, position: Position) -> bool {
        position.next().raw().saturating_sub(self.head(partition).raw()) > AHEAD_MAX
    }

    /// The record that counts of an id, if it stands among the partition's last.
    #[must_use]
    pub fn recall(&self, partition: Partition, id: MessageId) -> Option<Recalled> {
        self.shards[partition.index()].window().recall(id)
    }

    /// Completes when a partition's head has come to `position`.
    pub async fn reached(&self, partition: Partition, position: Position) {
        let mut head = self.shards[partition.index()].head.subscribe();
        // The sender lives as long as the hub.
        let _ = head.wait_for(|head| *head >= position).await;
    }

    /// Completes when a record with that id was read.
    pub async fn appeared(&self, partition: Partition, id: MessageId) -> Recalled {
        let mut head = self.shards[partition.index()].head.subscribe();
        loop {
            head.mark_unchanged();
            if let Some(recalled) = self.recall(partition, id) {
                return recalled;
            }
            // The sender lives as long as the hub.
            let _ = head.changed().await;
        }
    }

    /// Wakes at every event of a room, until the returned value is dropped.
    #[must_use]
    pub fn listen(
        self: &Arc<Self>,
        partition: Partition,
        room: &RoomId,
        wake: &Arc<Wake>,
    ) -> Listening {
        let wake = Arc::new(RoomWake::new(Arc::clone(wake)));
        let mut state = self.shards[partition.index()].state();
        state.listeners.entry(room.clone()).or_default().push(Arc::clone(&wake));
        drop(state);
        Listening { hub: Arc::clone(self), partition, room: room.clone(), wake }
    }
}

impl Shard {
    fn window(&self) -> MutexGuard<'_, Window> {
        // A record that is noted by half is noted by a reader that died of it, and the process with it.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn state(&self) -> MutexGuard<'_, ShardState> {
        // A push that panicked between two steps would leave the ring without its last event; the
        // reader that pushed is then dead, and the process on its way out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place on the wake list of a room.
pub struct Listening {
    hub: Arc<Hub>,
    partition: Partition,
    room: RoomId,
    wake: Arc<RoomWake>,
}

impl Listening {
    /// Whether there was an event since this was last asked, or this was never asked.
    #[must_use]
    pub fn take_news(&self) -> bool {
        self.wake.take_news()
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        let mut state = self.hub.shards[self.partition.index()].state();
        if let Some(listeners) = state.listeners.get_mut(&self.room) {
            if let Some(index) = listeners.iter().position(|wake| Arc::ptr_eq(wake, &self.wake)) {
                listeners.swap_remove(index);
            }
            if listeners.is_empty() {
                state.listeners.remove(&self.room);
            }
        }
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
