//! What was said lately, and who waits for more.
//!
//! There is one shard per partition. It holds one [`Ring`] of events in the log's order and a list
//! of who is to be woken. Nothing is pushed to a connection: it is woken, and reads.

mod ring;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, watch};

use crate::message::{Partition, Position, RoomId};

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

struct State<F> {
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
                ring: Ring::new(*start, ring_bytes),
                listeners: HashMap::new(),
            }),
            head: watch::Sender::new(*start),
        };
        Self { shards: starts.iter().map(shard).collect() }
    }

    /// Takes in the next event of a partition and wakes who waits for its room. `encode` gets the
    /// position of the room's previous event, if the ring still knows it.
    pub fn push(
        &self,
        partition: Partition,
        position: Position,
        room: &RoomId,
        encode: impl FnOnce(Option<Position>) -> (F, usize),
    ) {
        let shard = &self.shards[partition.index()];
        let previous = shard.lock().ring.last(room);
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
