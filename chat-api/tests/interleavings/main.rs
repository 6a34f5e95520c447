//! Every order in which the parts that several tasks walk at once can be walked: an event is pushed, swept,
//! and handed to a socket's task where the sweep cannot go on, while others come and go.
//!
//! The files are the hub's own, with loom's locks in the place of the system's.
#![expect(clippy::unwrap_used, reason = "in a test a panic is the report")]

#[path = "../../src/hub/lane.rs"]
#[expect(dead_code, reason = "only what the sweeper waits with: it takes what there is here")]
mod lane;
#[path = "../../src/hub/wake.rs"]
#[expect(unreachable_pub, reason = "where it belongs it is reached")]
mod wake;
#[path = "../../src/hub/watched.rs"]
#[expect(dead_code, reason = "only what is about who listens: rooms are another matter")]
mod watched;

/// In the place of `hub/sync.rs`.
mod sync {
    pub(super) use std::sync::PoisonError;

    pub(super) use loom::sync::atomic::{AtomicBool, Ordering};
    pub(super) use loom::sync::{Mutex, MutexGuard};
}

use std::sync::Arc;

use chat_api::message;
use futures_util::FutureExt as _;
use loom::sync::Mutex;
use loom::thread;

use lane::Lane;
use message::{Partition, RoomId};
use wake::{RoomWake, Wake};
use watched::Watched;

/// Events that are pushed.
const EVENTS: usize = 2;
/// The one lane there is.
const LANE: usize = 0;

/// A hub that holds how many events there are.
struct Hub {
    watched: Watched<usize, Feed>,
    lane: Lane,
    room: RoomId,
}

/// Somebody who hears the room.
struct Feed {
    state: Mutex<FeedState>,
    room_wake: RoomWake,
    wake: Arc<Wake>,
}

struct FeedState {
    place: usize,
    /// The line takes nothing now.
    is_blocked: bool,
    is_open: bool,
}

impl Hub {
    fn new() -> Arc<Self> {
        let (watched, lane, room) = (Watched::new(0, 1), Lane::default(), RoomId::lobby());
        Arc::new(Self { watched, lane, room })
    }

    fn push(&self) {
        let partition = Partition::from_number(0).unwrap();
        let announce = |_: usize| self.lane.push(partition, &self.room);
        self.watched.push(&self.room, |events| *events += 1, announce);
    }

    /// One pass, if there is something to do, in chunks of one.
    fn sweep(&self) -> bool {
        let Some((_, room)) = self.lane.take() else { return false };
        let mut some = self.watched.first(LANE, &room, 1);
        while let Some((number, feed)) = some.pop() {
            if !feed.advance(self) {
                feed.room_wake.notify();
            }
            some = self.watched.after(LANE, &room, number, 1);
        }
        true
    }
}

impl Feed {
    fn new(is_blocked: bool) -> Arc<Self> {
        let (wake, place) = (Arc::new(Wake::default()), 0);
        let state = Mutex::new(FeedState { place, is_blocked, is_open: true });
        Arc::new(Self { state, room_wake: RoomWake::new(Arc::clone(&wake)), wake })
    }

    /// The step, and whether it went to the head.
    fn advance(&self, hub: &Hub) -> bool {
        let mut state = self.state.lock().unwrap();
        if !state.is_blocked && state.is_open {
            state.place = hub.watched.with(|events| *events);
        }
        !state.is_blocked
    }

    /// The socket's task, as often as it was woken: it flushes, then looks.
    fn run(&self, hub: &Hub) {
        while self.wake.notified().now_or_never().is_some() {
            self.state.lock().unwrap().is_blocked = false;
            if self.room_wake.take_news() {
                self.advance(hub);
            }
        }
    }

    fn place(&self) -> usize {
        self.state.lock().unwrap().place
    }
}

/// Walks every order with at most three preemptions, which finds what more of them find in practice.
fn every_order(walk: impl Fn() + Sync + Send + 'static) {
    let mut model = loom::model::Builder::new();
    model.preemption_bound = Some(3);
    model.check(walk);
}

/// What is left when everybody else has ended: whoever has something to do does it.
fn settle(hub: &Hub, feeds: &[&Feed]) {
    while hub.sweep() {}
    for feed in feeds {
        feed.run(hub);
        assert_eq!(feed.place(), EVENTS, "nothing more would ever come");
    }
}

/// Puts somebody on the list; the number there.
fn listen(hub: &Hub, feed: Arc<Feed>) -> u64 {
    hub.watched.listen(&hub.room, feed, |_| Ok::<(), ()>(())).unwrap()
}

/// Somebody comes while events are pushed and swept.
fn comes(hub: &Arc<Hub>, come: impl FnOnce(&Arc<Feed>)) {
    let (pushing, sweeping) = (Arc::clone(hub), Arc::clone(hub));
    let pusher = thread::spawn(move || (0..EVENTS).for_each(|_| pushing.push()));
    let sweeper = thread::spawn(move || (0..EVENTS).for_each(|_| _ = sweeping.sweep()));
    let feed = Feed::new(false);
    come(&feed);
    pusher.join().unwrap();
    sweeper.join().unwrap();
    settle(hub, &[&feed]);
}

#[test]
fn whoever_comes_while_events_are_pushed_and_swept_misses_none() {
    every_order(|| {
        let hub = Hub::new();
        comes(&hub, |feed| {
            listen(&hub, Arc::clone(feed));
            // On the list first, then it reads what there was before.
            feed.advance(&hub);
        });
    });
}

#[test]
#[should_panic(expected = "nothing more would ever come")]
fn whoever_reads_first_and_is_on_the_list_then_is_found_to_miss_one() {
    every_order(|| {
        let hub = Hub::new();
        comes(&hub, |feed| {
            feed.advance(&hub);
            listen(&hub, Arc::clone(feed));
        });
    });
}

#[test]
fn what_a_sweep_cannot_take_on_is_taken_on_by_the_sockets_task() {
    every_order(|| {
        let hub = Hub::new();
        let [slow, quick] = [Feed::new(true), Feed::new(false)];
        for feed in [&slow, &quick] {
            listen(&hub, Arc::clone(feed));
        }
        let (pushing, running, task) = (Arc::clone(&hub), Arc::clone(&hub), Arc::clone(&slow));
        let pusher = thread::spawn(move || (0..EVENTS).for_each(|_| pushing.push()));
        let session = thread::spawn(move || task.run(&running));
        while hub.sweep() {}
        pusher.join().unwrap();
        session.join().unwrap();
        settle(&hub, &[&slow, &quick]);
    });
}

#[test]
fn whoever_leaves_gets_nothing_after_that_and_holds_nobody_up() {
    every_order(|| {
        let hub = Hub::new();
        let [leaving, stays] = [Feed::new(false), Feed::new(false)];
        let number = listen(&hub, Arc::clone(&leaving));
        listen(&hub, Arc::clone(&stays));
        let (pushing, sweeping) = (Arc::clone(&hub), Arc::clone(&hub));
        let pusher = thread::spawn(move || (0..EVENTS).for_each(|_| pushing.push()));
        let sweeper = thread::spawn(move || (0..EVENTS).for_each(|_| _ = sweeping.sweep()));
        leaving.state.lock().unwrap().is_open = false;
        let place = leaving.place();
        hub.watched.leave(&hub.room, number);
        pusher.join().unwrap();
        sweeper.join().unwrap();
        settle(&hub, &[&stays]);
        assert_eq!(leaving.place(), place);
    });
}
