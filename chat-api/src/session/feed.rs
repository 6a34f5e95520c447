//! One room of one socket: how far it was sent, and the one step that goes further.
//!
//! The step is the same whoever takes it: what is there from the place on goes onto the line, and the place
//! moves behind it, under one lock. A sweep takes it after every event; the socket's own task takes it
//! where the sweep could not go on, and puts what the archive has.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use service_process::listener::WriteHalf;
use tokio_tungstenite::tungstenite::Bytes;

use super::place::{Place, ReadEnd};
use crate::hub::{Frames, Hub, HubReadError, Listener, Memo, Offer, RoomWake, Told, Wake};
use crate::message::{Cursor, Ended, Partition, Position, RoomId, UserId};
use crate::ws::frame::Outbound;
use crate::ws::line::{Half, Line, Offered};

/// A room that a socket hears, as its own task and the sweeps know it.
pub(super) struct Feed<H = WriteHalf> {
    pub(super) partition: Partition,
    pub(super) room: RoomId,
    /// Whose socket it is, unless a guest's.
    person: Option<UserId>,
    hub: Arc<Hub>,
    line: Arc<Line<H>>,
    wake: RoomWake,
    state: Mutex<FeedState>,
    /// Of what tells how something is besides events, the version that was shown last.
    shown: AtomicU64,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct FeedState {
    place: Place,
    flow: Flow,
    /// Where the partition ended when the visitor was let in: what ended a subscription before is over.
    since: Position,
    /// The number of the last marker that was told.
    told: u64,
}

/// What comes to a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Flow {
    /// What the ring holds.
    Open,
    /// Only what the socket's task puts: it waits for something.
    Held,
    /// Nothing, ever again.
    Ended,
}

/// What a step came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Advance {
    /// To the head, and the system has all of it.
    Head,
    /// On, and there is more.
    More,
    /// Not beyond what the line keeps until the system takes it.
    Blocked,
    /// Nowhere: the place lies below the ring's floor.
    Below,
    /// Nowhere: nothing certain is known of the room.
    Unloaded,
    /// Nowhere: the socket's task waits for something.
    Held,
    /// To the end: nothing comes any more.
    Ended,
}

/// Where a feed begins.
pub(super) struct Beginning {
    pub(super) partition: Partition,
    pub(super) room: RoomId,
    pub(super) person: Option<UserId>,
    pub(super) place: Place,
}

impl<H: Half> Feed<H> {
    /// A feed onto that line, which wakes the line's task if that is to go on.
    pub(super) fn new(
        beginning: Beginning,
        hub: Arc<Hub>,
        line: Arc<Line<H>>,
        wake: Arc<Wake>,
    ) -> Self {
        let Beginning { partition, room, person, place } = beginning;
        let state = FeedState { place, flow: Flow::Open, since: Position::BEFORE_ALL, told: 0 };
        let (state, wake, shown) = (Mutex::new(state), RoomWake::new(wake), AtomicU64::new(0));
        Self { partition, room, person, hub, line, wake, state, shown }
    }

    /// Lets the visitor in, as of that end of the partition.
    pub(super) fn admit(&self, since: Position) {
        self.lock().since = since;
    }

    /// The step: puts what the ring has at the place, a piece of it.
    pub(super) fn advance(&self, memo: &mut Memo) -> Advance {
        let mut state = self.lock();
        match state.flow {
            Flow::Open => {}
            Flow::Held => return Advance::Held,
            Flow::Ended => return Advance::Ended,
        }
        if self.line.is_blocked() {
            return Advance::Blocked;
        }
        let from = state.place.next();
        let read = |budget| self.hub.read(self.partition, &self.room, from, budget);
        let (frames, head) = match memo.read(from, read) {
            Ok(read) => read,
            Err(HubReadError::Below(_)) => return Advance::Below,
            Err(HubReadError::Unloaded) => return Advance::Unloaded,
        };
        memo.events += frames.count;
        memo.bytes += frames.bytes.len();
        match self.put(&mut state, &frames, head) {
            Advance::Head => self.tell_markers(&mut state, memo),
            came_to => came_to,
        }
    }

    /// Puts up to where others have read, the latest of each: to whoever is in the room now.
    fn tell_markers(&self, state: &mut FeedState, memo: &mut Memo) -> Advance {
        let read = || self.hub.markers(self.partition, &self.room, state.told);
        let markers = memo.markers(state.told, read);
        state.told = markers.upto;
        let is_told = || {
            let person = self.person.as_ref();
            person.is_some_and(|one| self.hub.is_member(self.partition, &self.room, one))
        };
        if markers.bytes.is_empty() || !is_told() {
            return Advance::Head;
        }
        memo.bytes += markers.bytes.len();
        if !self.line.put(&markers.bytes) {
            Advance::Blocked
        } else if markers.more {
            Advance::More
        } else {
            Advance::Head
        }
    }

    /// The same step with what the archive had at a place, if that is still the place. `head` is the
    /// partition's end.
    pub(super) fn put_old(&self, frames: &Frames, head: Position) -> Option<Advance> {
        let mut state = self.lock();
        if state.flow == Flow::Ended || state.place.next() != frames.from {
            return None;
        }
        Some(self.put(&mut state, frames, head))
    }

    /// The only code that moves a place. The line takes everything that is put on it, so what it was given
    /// are the events before the place, each once and in their order.
    fn put(&self, state: &mut FeedState, frames: &Frames, head: Position) -> Advance {
        let mut is_sent = frames.count == 0 || self.line.put(&frames.bytes);
        if let Some(upto) = state.place.sent(ReadEnd { next: frames.next, head }) {
            is_sent = self.line.put(&self.resumed(upto));
        }
        if let Some(ended) = &frames.ends
            && frames.next > state.since
            && self.is_among(ended, frames.next.previous())
        {
            state.flow = Flow::Ended;
            return Advance::Ended;
        }
        if !is_sent {
            Advance::Blocked
        } else if frames.next < head {
            Advance::More
        } else {
            Advance::Head
        }
    }

    /// Whether whose socket it is hears nothing that comes after an event that stands there.
    fn is_among(&self, ended: &Ended, position: Position) -> bool {
        match ended {
            Ended::Person(person) => self.person.as_ref() == Some(person),
            // Who is a guest is in no room.
            Ended::Strangers => self.person.as_ref().is_none_or(|person| {
                self.hub.is_stranger_since(self.partition, &self.room, person, position)
            }),
            Ended::Everybody => true,
        }
    }

    fn resumed(&self, position: Position) -> Bytes {
        let upto = Cursor { partition: self.partition, position };
        Outbound::Resumed { room_id: &self.room, upto }.framed()
    }

    /// Everything of the room before was put on the line.
    pub(super) fn next(&self) -> Position {
        self.lock().place.next()
    }

    /// Holds what the ring has back, or lets it come again: what came meanwhile is nobody's news.
    pub(super) fn hold(&self, is_held: bool) {
        let mut state = self.lock();
        if state.flow != Flow::Ended {
            state.flow = if is_held { Flow::Held } else { Flow::Open };
        }
    }

    /// Nothing is put on the line any more when this returns.
    pub(super) fn end(&self) {
        self.lock().flow = Flow::Ended;
    }

    /// Whether nothing comes any more.
    pub(super) fn has_ended(&self) -> bool {
        self.lock().flow == Flow::Ended
    }

    /// Whether the socket's task was woken for this room since this was last asked.
    pub(super) fn take_news(&self) -> bool {
        self.wake.take_news()
    }

    fn lock(&self) -> MutexGuard<'_, FeedState> {
        // A step that panicked between line and place would put something twice; that was a worker's or
        // this socket's own, and the socket or the process is on its way out.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<H: Half + Send> Listener for Feed<H> {
    fn sweep(&self, memo: &mut Memo) {
        match self.advance(memo) {
            Advance::Head | Advance::Held => {}
            Advance::More
            | Advance::Blocked
            | Advance::Below
            | Advance::Unloaded
            | Advance::Ended => self.wake.notify(),
        }
    }

    fn offer(&self, offer: &dyn Offer) -> bool {
        // Nothing is put on the line after the end.
        let state = self.lock();
        if state.flow == Flow::Ended {
            return true;
        }
        let told = offer.to(self.person.as_ref(), self.shown.load(Ordering::Relaxed));
        let Some(Told { frames, version, has_more }) = told else { return true };
        match self.line.offer(&frames) {
            Offered::Taken => {}
            Offered::Kept => self.wake.notify(),
            Offered::Declined => return false,
        }
        self.shown.store(version, Ordering::Relaxed);
        !has_more
    }
}

#[cfg(test)]
#[path = "feed_tests.rs"]
mod tests;
