//! Every small log, every order of steps: a client that is cut off and goes on elsewhere gets what the
//! log says, in its order, without gap or repeat.
//!
//! The parts are the real ones ([`Ring`], [`Window`], [`Start`], [`Place`]); only what carries bytes
//! between them is left out. Each state is made anew from the log, so that all of them can be visited.

use std::collections::HashSet;
use std::sync::Arc;

use chrono::DateTime;

use super::{Place, ReadEnd};
use crate::backfill::read_on;
use crate::hub::{Entry, Meta, Recalled, Ring, Window};
use crate::kafka::Range;
use crate::message::{Kind, MessageId, Position, RoomId};
use crate::workers::Start;

/// Records in a log.
const LENGTH: usize = 5;
/// Offsets within which an id is a repeat.
const SPAN: i64 = 2;
/// Events that a ring holds.
const HELD: usize = 2;
/// How often the client is cut off.
const CUTS: u8 = 2;

/// What a record says: in the client's room with one of two ids, or elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum ModelRecord {
    Here(u8),
    Elsewhere,
}

/// A mistake to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bug {
    None,
    /// What lies below the ring's floor is passed over.
    Gap,
    /// The archive is believed to hold all that the replica has read.
    Ahead,
    /// A page that is full counts as the whole rest.
    Short,
    /// A repeat is an event.
    Doubles,
    /// The place falls back to the head of a replica that is behind.
    Falls,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct State {
    /// Records that the replica had read when it became ready, and has read by now.
    born: usize,
    read: usize,
    /// Records that the archive holds.
    stored: usize,
    place: Place,
    /// The client's own: what it would resume from, and the offsets it was sent.
    cursor: Position,
    sent: Vec<usize>,
    cuts: u8,
}

struct Model<'a> {
    log: &'a [ModelRecord],
    bug: Bug,
    room: RoomId,
    /// What the ring holds of the log: each record as if it were an event.
    entries: Vec<Arc<Entry>>,
}

fn at(offset: usize) -> Position {
    Position::new(0, i64::try_from(offset).unwrap()).unwrap()
}

fn id(record: ModelRecord, offset: usize) -> MessageId {
    let number = match record {
        ModelRecord::Here(number) => number,
        ModelRecord::Elsewhere => 100 + u8::try_from(offset).unwrap(),
    };
    MessageId::new(DateTime::UNIX_EPOCH, [number; 10])
}

impl<'a> Model<'a> {
    fn new(log: &'a [ModelRecord], bug: Bug, room: RoomId) -> Self {
        let elsewhere = RoomId::parse("elsewhere").unwrap();
        let entry = |(offset, record): (usize, &ModelRecord)| {
            let of = if *record == ModelRecord::Elsewhere { &elsewhere } else { &room };
            let id = id(*record, offset);
            let meta = Meta { id, kind: Kind::Message, target: None, ends: None };
            Arc::new(Entry::new(at(offset), of.clone(), meta, "x".into()))
        };
        let entries = log.iter().enumerate().map(entry).collect();
        Self { log, bug, room, entries }
    }

    /// The ring of a replica.
    fn ring(&self, born: usize, read: usize) -> Ring {
        let start = Start::of(Range { start: at(0), end: at(born) }, SPAN);
        let mut ring = Ring::new(start.ring, HELD * Entry::bytes_of(1));
        let mut window = Window::new(SPAN);
        for (offset, record) in self.log.iter().enumerate().take(read) {
            let position = at(offset);
            if position < start.read {
                continue;
            }
            let first = window.note(Recalled { position, body_hash: None }, id(*record, offset));
            if position < start.ring {
                continue;
            }
            if !first && self.bug != Bug::Doubles {
                ring.skip(position);
            } else {
                ring.push(Arc::clone(&self.entries[offset]));
            }
        }
        ring
    }

    /// The archive keeps the first record of each id.
    fn old_page(&self, state: &State) -> (Vec<usize>, Position) {
        let held = if self.bug == Bug::Ahead { state.read } else { state.stored };
        let progress = at(held).previous();
        let is_first = |offset: usize| !self.log[..offset].contains(&self.log[offset]);
        let event = (0..state.stored).find(|offset| {
            at(*offset) >= state.place.next()
                && self.log[*offset] != ModelRecord::Elsewhere
                && is_first(*offset)
        });
        // A page has room for one.
        let last = event.map(at).filter(|_| self.bug != Bug::Short);
        (event.into_iter().collect(), read_on(state.place.next(), last, progress))
    }

    /// One turn of the delivery loop.
    fn deliver(&self, state: &State) -> State {
        let mut state = state.clone();
        let ring = self.ring(state.born, state.read);
        let (offsets, stretch) = match ring.read(&self.room, state.place.next(), 1) {
            Ok(page) => {
                let offset = |entry: &Arc<Entry>| usize::try_from(entry.position.offset()).unwrap();
                (page.entries.iter().map(offset).collect(), ReadEnd::from(&page))
            }
            Err(floor) if self.bug == Bug::Gap => {
                (Vec::new(), ReadEnd { next: floor, head: ring.head() })
            }
            Err(_) => {
                let (offsets, next) = self.old_page(&state);
                (offsets, ReadEnd { next, head: ring.head() })
            }
        };
        let upto = state.place.sent(stretch);
        let last = offsets.last().map(|offset| at(*offset));
        // A client knows nothing of cursors: it keeps the last one it was told.
        state.cursor = upto.or(last).unwrap_or(state.cursor);
        state.sent.extend(offsets);
        state
    }

    /// The client goes on at a replica that has read so much.
    fn go_on(&self, state: &State, read: usize) -> State {
        let head = self.ring(read, read).head();
        let cursor = if self.bug == Bug::Falls { state.cursor.min(head) } else { state.cursor };
        let place = Place::new(Some(cursor), head);
        State { born: read, read, place, cuts: state.cuts + 1, ..state.clone() }
    }

    /// What the client shows of what it was sent: each id once.
    fn shown(&self, sent: &[usize]) -> Vec<usize> {
        let mut shown: Vec<usize> = Vec::new();
        for offset in sent {
            if !shown.iter().any(|earlier| self.log[*earlier] == self.log[*offset]) {
                shown.push(*offset);
            }
        }
        shown
    }

    /// What the log says to the room.
    fn said(&self) -> Vec<usize> {
        let here = (0..self.log.len()).filter(|offset| self.log[*offset] != ModelRecord::Elsewhere);
        self.shown(&here.collect::<Vec<_>>())
    }

    /// Visits every state. How many there are, or what went wrong.
    fn explore(&self) -> Result<usize, String> {
        let said = self.said();
        let first = State {
            born: 0,
            read: 0,
            stored: 0,
            place: Place::new(Some(Position::BEFORE_ALL), at(0)),
            cursor: Position::BEFORE_ALL,
            sent: Vec::new(),
            cuts: 0,
        };
        let (mut known, mut open) = (HashSet::from([first.clone()]), vec![first]);
        while let Some(state) = open.pop() {
            self.check(&state, &said)?;
            let mut steps = vec![self.deliver(&state)];
            if state.read < self.log.len() {
                steps.push(State { read: state.read + 1, ..state.clone() });
            }
            if state.stored < self.log.len() {
                steps.push(State { stored: state.stored + 1, ..state.clone() });
            }
            if state.cuts < CUTS {
                steps.extend((0..=self.log.len()).map(|read| self.go_on(&state, read)));
            }
            open.extend(steps.into_iter().filter(|step| known.insert(step.clone())));
        }
        Ok(known.len())
    }

    fn check(&self, state: &State, said: &[usize]) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("{what}: {:?} {state:?}", self.log));
        if !state.sent.is_sorted_by(|earlier, later| earlier < later) {
            return wrong("something came again");
        }
        let span = usize::try_from(SPAN).unwrap();
        let is_repeat = |offset: &usize| {
            let before = &self.log[offset.saturating_sub(span)..*offset];
            before.contains(&self.log[*offset])
        };
        if state.sent.iter().any(is_repeat) {
            return wrong("a repeat within the span was sent");
        }
        let shown = self.shown(&state.sent);
        if !said.starts_with(&shown) {
            return wrong("not what the log says");
        }
        if state.read < self.log.len() || state.stored < self.log.len() {
            return Ok(());
        }
        // Nothing more happens: what there is must come by itself.
        let mut last = state.clone();
        loop {
            let next = self.deliver(&last);
            if next == last {
                break;
            }
            last = next;
        }
        if self.shown(&last.sent) == *said { Ok(()) } else { wrong("something never comes") }
    }
}

/// Every log of that length.
fn logs() -> impl Iterator<Item = Vec<ModelRecord>> {
    let kinds = [ModelRecord::Here(0), ModelRecord::Here(1), ModelRecord::Elsewhere];
    (0..kinds.len().pow(u32::try_from(LENGTH).unwrap())).map(move |code| {
        let kind = |place: usize| {
            kinds[code / kinds.len().pow(u32::try_from(place).unwrap()) % kinds.len()]
        };
        (0..LENGTH).map(kind).collect()
    })
}

fn explore(bug: Bug) -> Result<usize, String> {
    let room = RoomId::lobby();
    logs().map(|log| Model::new(&log, bug, room.clone()).explore()).sum()
}

#[test]
fn whatever_happens_in_whichever_order_a_client_gets_what_the_log_says() {
    let states = explore(Bug::None).unwrap();
    println!("{states} states of {} logs", logs().count());
    assert!(states > 100_000, "{states}");
}

#[test]
fn each_seeded_mistake_is_found() {
    for bug in [Bug::Gap, Bug::Ahead, Bug::Short, Bug::Doubles, Bug::Falls] {
        assert!(explore(bug).is_err(), "{bug:?} is not found");
    }
}
