//! What was said lately, and who waits for more.
//!
//! There is one shard per partition. It holds one [`Ring`] of events in the log's order and a list
//! of who is to be woken. Nothing is pushed to a connection: it is woken, and reads.

mod ring;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::message::{BodyHash, Event, MessageId, Partition, Position, RoomId};

pub use ring::{Page, Ring};

/// The shards of all partitions. `F` is an event in the form in which it leaves the process, encoded
/// once for all its receivers and cheap to clone.
pub struct Hub<F> {
    shards: Vec<Shard<F>>,
}

struct Shard<F> {
    state: Mutex<State<F>>,
    /// The ring's head, for those who wait for a position and not for a room.
    head: watch::Sender<Position>,
}

/// The record that counts among all of an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Recalled {
    /// Its place.
    pub position: Position,
    /// What its sender's key was used for, if there was a key.
    pub body_hash: Option<BodyHash>,
}

struct State<F> {
    seen: HashMap<MessageId, Recalled>,
    ring: Ring<F>,
    listeners: HashMap<RoomId, Vec<Arc<Notify>>>,
}

impl<F: Clone> Hub<F> {
    /// A hub whose shards begin at these positions, in the order of their partitions, and hold at
    /// most `ring_bytes` each.
    #[must_use]
    pub fn new(starts: &[Position], ring_bytes: usize) -> Self {
        let shard = |start: &Position| Shard {
            state: Mutex::new(State {
                seen: HashMap::new(),
                ring: Ring::new(*start, ring_bytes),
                listeners: HashMap::new(),
            }),
            head: watch::Sender::new(*start),
        };
        Self { shards: starts.iter().map(shard).collect() }
    }

    /// Takes in the next event of a partition and wakes who waits for its room. `encode` gets the
    /// position of the room's previous event, if the ring still knows it.
    pub fn push(&self, event: &Event, encode: impl FnOnce(Option<Position>) -> (F, usize)) {
        let Event { partition, position, envelope } = event;
        let (position, room) = (*position, &envelope.room_id);
        let shard = &self.shards[partition.index()];
        let mut state = shard.lock();
        if state.seen.contains_key(&envelope.message_id) {
            state.ring.skip(position);
            drop(state);
            shard.head.send_replace(position.next());
            return;
        }
        let recalled = Recalled { position, body_hash: envelope.body_hash };
        state.seen.insert(envelope.message_id, recalled);
        let previous = state.ring.last(room);
        drop(state);
        // Only the partition's one reader pushes, so the previous event stays the previous one.
        let (frame, bytes) = encode(previous);
        let mut state = shard.lock();
        state.ring.push(position, room, frame, bytes);
        for listener in state.listeners.get(room).into_iter().flatten() {
            listener.notify_one();
        }
        drop(state);
        shard.head.send_replace(position.next());
    }

    /// The events of a room from `next` on, at most `limit`, or the ring's floor if `next` lies
    /// below it.
    pub fn read(
        &self,
        partition: Partition,
        room: &RoomId,
        next: Position,
        limit: usize,
    ) -> Result<Page<F>, Position> {
        self.shards[partition.index()].lock().ring.read(room, next, limit)
    }

    /// The position after the last event of a partition.
    #[must_use]
    pub fn head(&self, partition: Partition) -> Position {
        *self.shards[partition.index()].head.borrow()
    }

    /// Completes when a partition's head has come to `position`.
    pub async fn reached(&self, partition: Partition, position: Position) {
        let mut head = self.shards[partition.index()].head.subscribe();
        // The sender lives as long as the hub.
        let _ = head.wait_for(|head| *head >= position).await;
    }

    /// The record that counts of an id, if it was read.
    #[must_use]
    pub fn recall(&self, partition: Partition, id: MessageId) -> Option<Recalled> {
        self.shards[partition.index()].lock().seen.get(&id).copied()
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

    /// Wakes `waker` at every event of a room, until the returned value is dropped.
    #[must_use]
    pub fn listen(
        self: &Arc<Self>,
        partition: Partition,
        room: &RoomId,
        waker: &Arc<Notify>,
    ) -> Listening<F> {
        let mut state = self.shards[partition.index()].lock();
        state.listeners.entry(room.clone()).or_default().push(Arc::clone(waker));
        drop(state);
        Listening { hub: Arc::clone(self), partition, room: room.clone(), waker: Arc::clone(waker) }
    }
}

impl<F> Shard<F> {
    fn lock(&self) -> MutexGuard<'_, State<F>> {
        // A push that panicked between two steps would leave the ring without its last event; the
        // reader that pushed is then dead, and the process on its way out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place on the wake list of a room.
pub struct Listening<F> {
    hub: Arc<Hub<F>>,
    partition: Partition,
    room: RoomId,
    waker: Arc<Notify>,
}

impl<F> Drop for Listening<F> {
    fn drop(&mut self) {
        let mut state = self.hub.shards[self.partition.index()].lock();
        if let Some(listeners) = state.listeners.get_mut(&self.room) {
            if let Some(index) = listeners.iter().position(|waker| Arc::ptr_eq(waker, &self.waker))
            {
                listeners.swap_remove(index);
            }
            if listeners.is_empty() {
                state.listeners.remove(&self.room);
            }
        }
    }
}
