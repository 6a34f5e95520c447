//! What may happen next.

use std::sync::atomic::AtomicU64;
use std::sync::{Arc, Mutex};
use std::task::{Context, Waker};

use futures_util::FutureExt as _;

use super::super::{Advance, Feed, FeedState, Flow};
use super::state::{Heard, Socket, State, Sweep, Task};
use super::{ACK, ADA, BOB, BYE, Elsewhere, FRAME, Mistake, Model, at, person};
use crate::hub::{Frames, Listener as _, Memo, RoomWake, Wake};
use crate::message::{Partition, RoomId};
use crate::session::place::{Place, ReadEnd};
use crate::ws::line::Line;
use crate::ws::narrow::{Narrow, OPEN};

/// One socket's subscription with everything real about it.
struct Real {
    feed: Feed<Narrow>,
    wake: Arc<Wake>,
}

fn context() -> Context<'static> {
    Context::from_waker(Waker::noop())
}

impl Model {
    /// Does something with what is real about a subscription.
    fn with<R>(
        &self,
        state: &mut State,
        (socket, nth): (usize, usize),
        step: impl FnOnce(&Real) -> R,
    ) -> R {
        let hub = Arc::clone(&self.hubs[state.pushed][usize::from(state.is_replaced)]);
        let Socket { taken, rest, space, subscriptions, is_woken, .. } = &mut state.sockets[socket];
        let heard = &mut subscriptions[nth];
        let half = Narrow { space: *space, taken: std::mem::take(taken), ..Narrow::default() };
        let line = Arc::new(Line::restored(half, std::mem::take(rest)));
        let wake = Arc::new(Wake::default());
        let room_wake = RoomWake::new(Arc::clone(&wake));
        if heard.news {
            room_wake.notify();
            wake.notified().now_or_never().unwrap();
        }
        if *is_woken {
            wake.notify();
        }
        let feed = Feed {
            partition: Partition::from_number(0).unwrap(),
            room: RoomId::lobby(),
            person: Some(person(socket)),
            hub,
            line,
            wake: room_wake,
            state: Mutex::new(heard.state.clone()),
            shown: AtomicU64::new(0),
        };
        let real = Real { feed, wake };
        let result = step(&real);
        *is_woken = real.wake.notified().now_or_never().is_some();
        heard.news = real.feed.take_news();
        let Feed { line, state, .. } = real.feed;
        heard.state = state.into_inner().unwrap();
        let (half, kept) = Arc::into_inner(line).unwrap().parts();
        (*taken, *rest, *space) = (half.taken, kept, half.space);
        result
    }

    /// The step, or what somebody who makes a mistake takes for it.
    fn advance(&self, real: &Real, memo: &mut Memo, step: impl FnOnce(&Real, &mut Memo)) {
        let feed = &real.feed;
        match self.mistake {
            Mistake::BlockedIgnored => feed.line.ignoring_rest(|| step(real, memo)),
            Mistake::MovedUnput if feed.line.is_blocked() => {
                let mut state = feed.lock();
                let from = state.place.next();
                if let Ok(page) = feed.hub.read(feed.partition, &feed.room, from, 1) {
                    state.place.sent(ReadEnd::from(&page));
                }
                drop(state);
                step(real, memo);
            }
            Mistake::MemoElsewhere => {
                memo.pretend(feed.next());
                step(real, memo);
            }
            _ => step(real, memo),
        }
    }

    /// A socket's task does the next thing, if there is one.
    fn run(&self, state: &State, socket: usize) -> Option<State> {
        let mut state = state.clone();
        let last = (socket, state.sockets[socket].subscriptions.len().checked_sub(1)?);
        let flush = |state: &mut State| {
            self.with(state, last, |real| {
                let was_blocked = real.feed.line.is_blocked();
                let _ = real.feed.line.poll_flush(&mut context());
                was_blocked
            })
        };
        match state.sockets[socket].task.clone() {
            Task::Waiting => {
                let mine = &mut state.sockets[socket];
                if !std::mem::take(&mut mine.is_woken) {
                    return None;
                }
                mine.task = Task::Running;
            }
            Task::Running => {
                if !flush(&mut state) {
                    let news = self.mistake != Mistake::NewsForgotten
                        && self.with(&mut state, last, |real| real.feed.take_news());
                    let mine = &mut state.sockets[socket];
                    mine.subscriptions[last.1].more |= news;
                    mine.task = Task::Looked;
                }
            }
            Task::Looked => self.look(&mut state, last),
            Task::Forgetting => {
                state.sockets[socket].subscriptions[last.1].news = false;
                state.sockets[socket].task = Task::Waiting;
            }
            Task::Putting(mut pieces) => {
                if !flush(&mut state) {
                    let mut piece = pieces.remove(0);
                    let head = at(state.pushed);
                    let is_put = self.with(&mut state, last, |real| {
                        if self.mistake == Mistake::RestElsewhere {
                            piece.from = real.feed.next();
                        }
                        real.feed.put_old(&piece, head).is_some()
                    });
                    let mine = &mut state.sockets[socket];
                    mine.task = Task::Putting(pieces.clone());
                    if pieces.is_empty() || !is_put {
                        mine.task = Task::Running;
                        mine.subscriptions[last.1].more = true;
                        self.with(&mut state, last, |real| real.feed.hold(false));
                    }
                }
            }
        }
        Some(state)
    }

    /// A socket's task takes the step, if there is something to be done.
    fn look(&self, state: &mut State, last: (usize, usize)) {
        let (socket, nth) = last;
        let forgets = self.mistake == Mistake::NewsForgotten;
        let mine = &mut state.sockets[socket];
        mine.task = Task::Waiting;
        let Heard { more, news, .. } = mine.subscriptions[nth];
        if !(more || forgets && news) {
            return;
        }
        let mut came_to = None;
        let mut memo = self.memo();
        self.with(state, last, |real| {
            self.advance(real, &mut memo, |real, memo| came_to = Some(real.feed.advance(memo)));
        });
        let mine = &mut state.sockets[socket];
        match came_to.unwrap() {
            Advance::Head => {
                mine.subscriptions[nth].more = false;
                if forgets {
                    mine.task = Task::Forgetting;
                }
            }
            Advance::More | Advance::Blocked => {
                (mine.subscriptions[nth].more, mine.task) = (true, Task::Running);
            }
            Advance::Below if mine.page.is_none() => {
                mine.page = Some(mine.subscriptions[nth].state.place.next());
                if self.mistake != Mistake::RestElsewhere {
                    self.with(state, last, |real| real.feed.hold(true));
                }
            }
            Advance::Below | Advance::Held => {}
            Advance::Ended => {
                mine.subscriptions[nth].is_listed = false;
                (mine.subscriptions[nth].more, mine.task) = (false, Task::Running);
            }
            Advance::Unloaded => unreachable!("no room is unloaded"),
        }
    }

    /// A page comes out of the archive, a piece for each event.
    fn page(&self, state: &State, socket: usize) -> Option<State> {
        let mut state = state.clone();
        let (pushed, is_replaced) = (state.pushed, state.is_replaced);
        let mine = &mut state.sockets[socket];
        if mine.task != Task::Waiting {
            return None;
        }
        let from = mine.page.take()?;
        mine.task = Task::Running;
        let last = mine.subscriptions.last()?;
        let is_asked = last.state.flow == Flow::Held && last.state.place.next() == from;
        let mistaken = match self.mistake {
            Mistake::PageElsewhere => last.state.flow != Flow::Ended,
            Mistake::RestElsewhere => last.state.place.next() == from,
            _ => false,
        };
        if !is_asked && !mistaken {
            return Some(state);
        }
        let first = usize::try_from(from.raw()).unwrap();
        let here = (first..pushed).filter(|offset| self.log[*offset] != Elsewhere);
        let here: Vec<usize> = here.collect();
        let (mut pieces, mut from) = (Vec::new(), from);
        for (index, offset) in here.iter().enumerate() {
            let next = if index + 1 == here.len() { at(pushed) } else { at(offset + 1) };
            pieces.push(Frames::join(from, &[self.entry(*offset, is_replaced)], next));
            from = next;
        }
        if self.mistake == Mistake::PageElsewhere {
            pieces[0].from = last.state.place.next();
        }
        mine.task = Task::Putting(pieces);
        Some(state)
    }

    /// A pass begins, or goes on to the next listener, or ends.
    fn sweep(&self, state: &State) -> Option<State> {
        let mut state = state.clone();
        let Some(mut sweep) = state.sweep.take() else {
            if !state.is_dirty {
                return None;
            }
            state.is_dirty = self.mistake == Mistake::CleanedLate;
            let listed = |socket: usize| {
                let all = state.sockets[socket].subscriptions.iter().enumerate();
                let listed = all.filter(|(_, heard)| heard.is_listed);
                listed.map(move |(nth, _)| (socket, nth)).collect::<Vec<_>>()
            };
            let todo = [listed(ADA), listed(BOB)].concat();
            let is_kept = self.mistake == Mistake::MemoKept;
            let memo = if is_kept { state.kept.clone() } else { self.memo() };
            state.sweep = Some(Sweep { todo, memo, is_new: state.is_replaced });
            return Some(state);
        };
        if sweep.todo.is_empty() {
            if self.mistake == Mistake::MemoKept {
                state.kept = sweep.memo;
            }
            state.is_dirty &= self.mistake != Mistake::CleanedLate;
            return Some(state);
        }
        let id = sweep.todo.remove(0);
        let is_rung = self.mistake != Mistake::NotHandedOver;
        self.with(&mut state, id, |real| {
            self.advance(real, &mut sweep.memo, |real, memo| {
                if is_rung { real.feed.sweep(memo) } else { _ = real.feed.advance(memo) }
            });
        });
        state.sweep = Some(sweep);
        Some(state)
    }

    /// A socket hears the room from a record on.
    pub(super) fn subscribe(&self, state: &State, socket: usize, from: usize) -> State {
        let mut state = state.clone();
        let (head, line) = (state.pushed, self.line(&state, socket).unwrap_or_default());
        let place = Place::new(Some(at(from).previous()), at(head));
        state.sockets[socket].subscriptions.push(Heard {
            state: FeedState { place, flow: Flow::Open, since: at(head), told: 0 },
            from,
            since: head,
            before: line.events.len(),
            is_listed: true,
            news: false,
            more: true,
        });
        state.sockets[socket].task = Task::Running;
        state
    }

    /// A socket's task leaves the room.
    fn leave(&self, state: &State, socket: usize) -> State {
        let mut state = state.clone();
        let nth = state.sockets[socket].subscriptions.len() - 1;
        if self.mistake != Mistake::EndIgnored {
            self.with(&mut state, (socket, nth), |real| real.feed.end());
        }
        state.sockets[socket].subscriptions[nth].is_listed = false;
        state.sockets[socket].subscriptions[nth].more = false;
        state
    }

    /// A socket's task says something of its own.
    fn say(&self, state: &State, socket: usize, frame: [u8; FRAME]) -> Option<State> {
        let mut state = state.clone();
        let nth = state.sockets[socket].subscriptions.len() - 1;
        let is_said = self.with(&mut state, (socket, nth), |real| {
            real.feed.line.poll_put(&mut context(), &frame).is_ready()
        });
        state.sockets[socket].task = Task::Running;
        is_said.then_some(state)
    }

    /// What happens sooner or later, whatever else does.
    pub(super) fn inevitable(&self, state: &State) -> Vec<State> {
        let mut steps: Vec<State> = self.sweep(state).into_iter().collect();
        for socket in [ADA, BOB] {
            steps.extend(self.run(state, socket).filter(|next| next != state));
            steps.extend(self.page(state, socket));
        }
        let ada = &state.sockets[ADA];
        if ada.space != OPEN {
            let mut next = state.clone();
            next.sockets[ADA].space = OPEN;
            steps.push(next);
        }
        steps
    }

    /// What may happen as well.
    pub(super) fn possible(&self, state: &State) -> Vec<State> {
        let mut steps = Vec::new();
        if state.pushed < self.log.len() {
            let mut heard = state.sockets.iter().flat_map(|socket| &socket.subscriptions);
            let is_heard = heard.any(|heard| heard.is_listed);
            let is_dirty = state.is_dirty || self.log[state.pushed] != Elsewhere && is_heard;
            steps.push(State { pushed: state.pushed + 1, is_dirty, ..state.clone() });
        }
        if self.scenario.has_bob && state.pushed > 0 && !state.is_replaced {
            steps.push(State { is_replaced: true, ..state.clone() });
        }
        let [ada, bob] = &state.sockets;
        if ada.space == 0 && ada.taken.is_empty() {
            let mut next = state.clone();
            next.sockets[ADA].space = 1;
            steps.push(next);
        }
        if self.scenario.has_bob && bob.subscriptions.is_empty() {
            steps.push(self.subscribe(state, BOB, 0));
        }
        if self.scenario.has_talk && ada.task == Task::Waiting && !ada.has_said_bye {
            if !ada.has_acked
                && let Some(mut next) = self.say(state, ADA, ACK)
            {
                next.sockets[ADA].has_acked = true;
                steps.push(next);
            }
            let hears = ada.subscriptions.last().is_some_and(|heard| heard.is_listed);
            if hears && ada.subscriptions.len() == 1 {
                // Anew, from a place that is not where the one before may have asked for a page.
                steps.push(self.subscribe(&self.leave(state, ADA), ADA, 1));
            }
            if let Some(mut next) = self.say(&self.leave(state, ADA), ADA, BYE) {
                next.sockets[ADA].has_said_bye = true;
                steps.push(next);
            }
        }
        steps
    }
}
