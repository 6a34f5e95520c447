//! What was said lately, and who waits for more.
//!
//! There is one shard per partition. It holds the ids of the last records ([`Window`]) and, apart from
//! them, one [`Ring`] of events in the log's order, what is known of rooms ([`LoadedRooms`]) and who listens
//! to which room. Nothing is queued for a listener: after an event a sweep passes by all of its room, and
//! each reads on from its own place.

mod entry;
mod frames;
mod lane;
mod loaded;
mod markers;
mod memo;
mod offer;
mod proposals;
mod ring;
mod rooms;
mod sweep;
mod sync;
mod taken;
mod unloaded;
mod wake;
mod watched;
mod window;

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use crate::message::{Act, Change, Event, Kind, MessageId, Partition, Position, RoomId, Target};

pub use entry::{Entry, Meta};
pub use frames::{Frames, PIECE};
use lane::Lane;
use loaded::LoadedRooms;
use markers::MarkerBoards;
pub use markers::{MarkerFrames, MarkerReach};
pub use memo::Memo;
pub use offer::{Offer, Told};
use proposals::Proposals;
pub use ring::{Page, Ring};
pub use rooms::{Known, NotLoaded};
pub use sweep::Listener;
pub use taken::Taken;
use unloaded::Unloaded;
pub use wake::{RoomWake, Wake};
use watched::Watched;
pub use window::{Recalled, SPAN, Window};

/// How many records a cursor of another replica may be ahead of this one. A cursor beyond that is
/// not of this log.
const AHEAD_MAX: i64 = 100_000;

/// The shards of all partitions.
pub struct Hub {
    shards: Vec<Shard>,
    /// What each sweeper is to do.
    lanes: Vec<Lane>,
    sizes: HubSizes,
}

/// How much a hub holds.
#[derive(Debug, Clone, Copy)]
pub struct HubSizes {
    /// Bytes of the events of a partition, and of its proposals.
    pub ring_bytes: usize,
    /// Bytes of all rooms that are loaded.
    pub room_bytes: usize,
    /// Offsets for which ids are remembered.
    pub span: i64,
    /// Tasks that sweep, each of them a lane.
    pub lanes: usize,
}

struct Shard {
    /// Asked by whoever sends something again, and by the partition's reader; never held with the
    /// other lock.
    window: Mutex<Window>,
    watched: Watched<ShardState, dyn Listener>,
    /// The ring's head, for those who wait for a position and not for a room.
    head: watch::Sender<Position>,
}

struct ShardState {
    ring: Ring,
    proposals: Proposals,
    rooms: LoadedRooms,
    unloaded: Unloaded,
    markers: MarkerBoards,
    /// Rooms in which proposals counted since somebody asked.
    moved: HashSet<RoomId>,
}

impl ShardState {
    /// Of a partition that is read from there on, with that many bytes of rooms.
    fn new(start: Position, sizes: HubSizes, room_bytes: usize) -> Self {
        Self {
            ring: Ring::new(start, sizes.ring_bytes),
            proposals: Proposals::new(start, sizes.ring_bytes),
            rooms: LoadedRooms::new(room_bytes),
            unloaded: Unloaded::default(),
            markers: MarkerBoards::default(),
            moved: HashSet::new(),
        }
    }
}

/// Why a room cannot be read from a place on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HubReadError {
    /// The place lies below the ring's floor, which is here.
    Below(Position),
    /// Nothing certain is known of the room until this replica is upgraded.
    Unloaded,
}

impl Hub {
    /// A hub whose rings begin at these positions, in the order of their partitions.
    #[must_use]
    pub fn new(starts: &[Position], sizes: HubSizes) -> Self {
        let shard = |start: &Position| {
            let state = ShardState::new(*start, sizes, sizes.room_bytes / starts.len());
            Shard {
                window: Mutex::new(Window::new(sizes.span)),
                watched: Watched::new(state, sizes.lanes),
                head: watch::Sender::new(*start),
            }
        };
        let shards = starts.iter().map(shard).collect();
        let lanes = (0..sizes.lanes).map(|_| Lane::default()).collect();
        Self { shards, lanes, sizes }
    }

    /// Takes in the next record of a partition, and has it taken to whoever hears its room. A record
    /// before the ring's beginning only leaves its id.
    #[must_use]
    pub fn take(&self, event: &Event) -> Taken {
        let Event { partition, position, envelope } = event;
        let (position, room) = (*position, &envelope.room_id);
        let shard = &self.shards[partition.index()];
        let record = Recalled { position, body_hash: envelope.body_hash() };
        let first = shard.window().note(record, envelope.message_id);
        let state = |state: &mut ShardState| (state.ring.head(), state.ring.last(room));
        let (head, previous) = shard.watched.with(state);
        let warming = position < head;
        if warming {
            return if first { Taken::New } else { Taken::Repeat };
        }
        if !first {
            self.skip(*partition, position);
            return Taken::Repeat;
        }
        // Only the partition's one reader comes here, so the previous event stays the previous one.
        if event.envelope.body.proposal().is_some() {
            return self.decide(event, previous);
        }
        let (entry, blanks) = self.entries(event, previous);
        let announce = |lane: usize| self.lanes[lane].push(*partition, room);
        let push = |state: &mut ShardState| {
            for blank in blanks {
                state.ring.replace(blank);
            }
            state.ring.push(entry);
        };
        shard.watched.push(room, push, announce);
        shard.head.send_replace(position.next());
        Taken::New
    }

    /// The entry of an event, and what is to be sent from now on in the place of others: what a deleted
    /// message said, and what it was edited to, is sent no more, whichever came first.
    fn entries(&self, event: &Event, previous: Option<Position>) -> (Arc<Entry>, Vec<Arc<Entry>>) {
        let (partition, room) = (event.partition, &event.envelope.room_id);
        let entry = Entry::of(event, previous);
        let about = |Target { message_id, position }: Target| {
            let watched = &self.shards[partition.index()].watched;
            watched.with(|state| state.ring.about(room, message_id, position))
        };
        let blank = |entry: &Entry| entry.blank(partition).map(Arc::new);
        match event.envelope.body.change() {
            Some(Change { target, act: Act::Delete }) => {
                let blanks = about(*target).iter().filter_map(|held| blank(held)).collect();
                (Arc::new(entry), blanks)
            }
            Some(Change { target, act: Act::Edit { .. } }) => {
                let is_deleted = |held: &Arc<Entry>| held.meta.kind == Kind::Delete;
                let is_gone = about(*target).iter().any(is_deleted);
                let blank = if is_gone { blank(&entry) } else { None };
                (blank.unwrap_or_else(|| Arc::new(entry)), Vec::new())
            }
            _ => (Arc::new(entry), Vec::new()),
        }
    }

    /// Sends an entry in the place of the one at its position from now on, if the ring holds that and it
    /// is of the same room. Whoever was sent the other one is not told.
    pub fn replace(&self, partition: Partition, entry: Entry) -> bool {
        let entry = Arc::new(entry);
        self.shards[partition.index()].watched.with(|state| state.ring.replace(entry))
    }

    /// Passes a record that is an event for nobody.
    pub fn skip(&self, partition: Partition, position: Position) {
        let shard = &self.shards[partition.index()];
        let head = shard.watched.with(|state| {
            state.ring.skip(position);
            state.ring.head()
        });
        shard.head.send_replace(head);
    }

    /// Forgets a partition and begins again at another position. What lies below is the archive's.
    pub fn restart(&self, partition: Partition, start: Position) {
        let shard = &self.shards[partition.index()];
        *shard.window() = Window::new(self.sizes.span);
        let room_bytes = self.sizes.room_bytes / self.shards.len();
        shard.watched.with(|state| {
            let (unloaded, markers) =
                (std::mem::take(&mut state.unloaded), std::mem::take(&mut state.markers));
            let fresh = ShardState::new(start, self.sizes, room_bytes);
            *state = ShardState { unloaded, markers, ..fresh };
        });
        shard.head.send_replace(start);
    }

    /// The events of a room from `next` on, at most `budget` bytes of them unless the first one is larger,
    /// or until one ends somebody's subscription.
    pub fn read(
        &self,
        partition: Partition,
        room: &RoomId,
        next: Position,
        budget: usize,
    ) -> Result<Page, HubReadError> {
        self.shards[partition.index()].watched.with(|state| {
            if !state.knows(room) {
                return Err(HubReadError::Unloaded);
            }
            state.ring.read(room, next, budget).map_err(HubReadError::Below)
        })
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

    /// The place of the last thing that was done to a message, if the ring still holds it. `from` is a place
    /// before all of them.
    #[must_use]
    pub fn last_about(
        &self,
        partition: Partition,
        room: &RoomId,
        id: MessageId,
        from: Position,
    ) -> Option<Position> {
        let watched = &self.shards[partition.index()].watched;
        let about = watched.with(|state| state.ring.about(room, id, from));
        about.last().map(|entry| entry.position)
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

    /// Sweeps a listener after every event of a room, until the returned value is dropped. What was there
    /// before, the listener reads by itself, after this. Whether it may is asked in the same step, with
    /// what is known of the room, up to where: so nothing of the room is missed or too much.
    pub fn listen<E>(
        self: &Arc<Self>,
        partition: Partition,
        room: &RoomId,
        listener: Arc<dyn Listener>,
        admit: impl FnOnce(Known<'_>, Position) -> Result<(), E>,
    ) -> Result<Listening, E> {
        let admit = |state: &mut ShardState| {
            let head = state.ring.head();
            admit(state.known(room), head)
        };
        let number = self.shards[partition.index()].watched.listen(room, listener, admit)?;
        Ok(Listening { hub: Arc::clone(self), partition, room: room.clone(), number })
    }

    /// The lanes that are to be swept.
    #[must_use]
    pub fn lanes(&self) -> std::ops::Range<usize> {
        0..self.lanes.len()
    }
}

impl Shard {
    fn window(&self) -> MutexGuard<'_, Window> {
        // A record that is noted by half is noted by a reader that died of it, and the process with it.
        self.window.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place on the list of a room.
pub struct Listening {
    hub: Arc<Hub>,
    partition: Partition,
    room: RoomId,
    number: u64,
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.hub.shards[self.partition.index()].watched.leave(&self.room, self.number);
    }
}

#[cfg(test)]
#[path = "hub_tests.rs"]
mod tests;
