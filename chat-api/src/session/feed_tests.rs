//! Every order of steps of both drivers, with a line that takes some bytes, one or none.
//!
//! A socket's own task and the sweep take the real step on the real feed, out of the hub's real ring and
//! onto a real line. What stands for the task itself, the list of listeners and the archive is a few lines
//! each. Each state is made anew, so that all of them can be visited.

#[path = "feed_tests/check.rs"]
mod check;
#[path = "feed_tests/state.rs"]
mod state;
#[path = "feed_tests/steps.rs"]
mod steps;

use std::collections::HashSet;
use std::sync::Arc;

use chrono::DateTime;

use crate::hub::{Entry, Hub, HubSizes, Memo, Meta};
use crate::message::{Ended, Kind, MessageId, Position, RoomId, UserId};
use crate::ws::narrow::OPEN;
use state::{Socket, State, Task};

/// A frame of the model.
const FRAME: usize = 2;
/// What answers a send, and what is said last.
const ACK: [u8; FRAME] = [0xa0, 0xa1];
const BYE: [u8; FRAME] = [0xb0, 0xb1];

/// The sockets: of somebody whose subscription the log may end, and who takes little; and of somebody else.
const ADA: usize = 0;
const BOB: usize = 1;

/// What a record says: in the room, to whoever is there or to Ada, that she is out; or elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Said {
    Here,
    Out,
    Elsewhere,
}
use Said::{Elsewhere, Here, Out};

/// A mistake to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mistake {
    None,
    /// The step does not care that the line keeps something.
    BlockedIgnored,
    /// The place moves although nothing was put.
    MovedUnput,
    /// The room counts as swept when the pass ends and not when it begins.
    CleanedLate,
    /// A page is used at another place than it was read from.
    MemoElsewhere,
    /// A pass goes on with what the one before has read.
    MemoKept,
    /// A feed that is left goes on.
    EndIgnored,
    /// A page goes on behind what ends a subscription.
    CutPassed,
    /// A page of the archive is put wherever the place is.
    PageElsewhere,
    /// Sweeps go on between the pieces of a page, and the rest is put where the place is by then.
    RestElsewhere,
    /// What a sweep cannot go on with is not handed over.
    NotHandedOver,
    /// A task forgets that it was woken after it has looked, and not before.
    NewsForgotten,
}

/// What else may happen beside events, so that each exploration stays small.
#[derive(Debug, Clone, Copy)]
struct Scenario {
    log: &'static [Said],
    /// Events that the ring holds; what is older is the archive's.
    held: usize,
    /// Events that are put at once.
    at_once: usize,
    /// Ada's peer takes nothing at first.
    is_narrow: bool,
    /// Ada is answered, leaves and comes again, and says the last word.
    has_talk: bool,
    /// Bob comes, and the first record is replaced.
    has_bob: bool,
}

struct Model {
    scenario: Scenario,
    log: &'static [Said],
    mistake: Mistake,
    /// The hub after so many records, with the first one as it was and replaced.
    hubs: Vec<[Arc<Hub>; 2]>,
}

fn at(offset: usize) -> Position {
    Position::from_raw(i64::try_from(offset).unwrap()).unwrap()
}

fn person(socket: usize) -> UserId {
    UserId::parse(["ada", "bob"][socket]).unwrap()
}

fn frame(offset: usize, is_replaced: bool) -> [u8; FRAME] {
    let offset = u8::try_from(offset).unwrap();
    if is_replaced { [0x50 + offset, 0x60 + offset] } else { [0x10 + offset, 0x20 + offset] }
}

impl Model {
    fn new(scenario: Scenario, mistake: Mistake) -> Self {
        let log = scenario.log;
        let mut model = Self { scenario, log, mistake, hubs: Vec::new() };
        for pushed in 0..=log.len() {
            let hub = |is_replaced: bool| {
                let limit = scenario.held * Entry::bytes_of(FRAME);
                let hub = Hub::new(&[Position::FIRST], HubSizes::of(limit, 10, 1));
                (0..pushed).for_each(|offset| hub.push(model.entry(offset, is_replaced)));
                Arc::new(hub)
            };
            let both = [hub(false), hub(true)];
            model.hubs.push(both);
        }
        model
    }

    fn entry(&self, offset: usize, is_replaced: bool) -> Arc<Entry> {
        let room = match self.log[offset] {
            Elsewhere => RoomId::parse("elsewhere").unwrap(),
            Here | Out => RoomId::lobby(),
        };
        let is_end = self.log[offset] == Out && self.mistake != Mistake::CutPassed;
        let meta = Meta {
            id: MessageId::new(DateTime::UNIX_EPOCH, [0; 10]),
            kind: Kind::Message,
            target: None,
            ends: is_end.then(|| Ended::Person(person(ADA))),
        };
        let frame = frame(offset, is_replaced && offset == 0).to_vec();
        Arc::new(Entry::new(at(offset), room, meta, frame.into()))
    }

    fn memo(&self) -> Memo {
        Memo::new(self.scenario.at_once * Entry::bytes_of(FRAME))
    }

    /// Visits every state. How many there are, or what went wrong.
    fn explore(&self) -> Result<usize, String> {
        let socket = |space| Socket {
            taken: Vec::new(),
            rest: Vec::new(),
            space,
            subscriptions: Vec::new(),
            task: Task::Waiting,
            is_woken: false,
            page: None,
            has_acked: false,
            has_said_bye: false,
        };
        let nobody = State {
            pushed: 0,
            is_replaced: false,
            is_dirty: false,
            sweep: None,
            kept: self.memo(),
            sockets: [socket(if self.scenario.is_narrow { 0 } else { OPEN }), socket(OPEN)],
        };
        let first = self.subscribe(&nobody, ADA, 0);
        let (mut known, mut open) = (HashSet::from([first.clone()]), vec![first]);
        while let Some(state) = open.pop() {
            let wrong = |what: String| format!("{what}: {:?} {state:#?}", self.log);
            self.check(&state).map_err(wrong)?;
            let mut steps = self.inevitable(&state);
            if steps.is_empty() {
                self.check_end(&state).map_err(wrong)?;
            }
            steps.extend(self.possible(&state));
            if steps.iter().any(|step| self.is_stale(&state, step)) {
                return Err(wrong("what was replaced was read".to_owned()));
            }
            open.extend(steps.into_iter().filter(|step| known.insert(step.clone())));
        }
        Ok(known.len())
    }
}

const TALK: Scenario = Scenario {
    log: &[Here, Here],
    held: 1,
    at_once: 1,
    is_narrow: true,
    has_talk: true,
    has_bob: false,
};
const TWO: Scenario =
    Scenario { held: 2, is_narrow: false, has_talk: false, has_bob: true, ..TALK };

const SCENARIOS: [Scenario; 5] = [
    TALK,
    Scenario { log: &[Out, Here], ..TALK },
    TWO,
    Scenario { log: &[Here, Elsewhere, Here], held: 2, at_once: 2, has_talk: false, ..TALK },
    Scenario { log: &[Here, Out, Here], held: 3, at_once: 2, has_talk: false, ..TALK },
];

fn explore(mistake: Mistake) -> Result<usize, String> {
    let explore = |scenario| -> Result<usize, String> {
        let states = Model::new(scenario, mistake).explore()?;
        println!("{states} states of {scenario:?}");
        Ok(states)
    };
    SCENARIOS.into_iter().map(explore).sum()
}

#[test]
fn whoever_takes_the_steps_in_whichever_order_each_line_gets_each_event_once_and_in_whole_frames() {
    let states = explore(Mistake::None).unwrap();
    assert!(states > 10_000, "{states}");
}

#[test]
fn each_seeded_mistake_is_found() {
    use Mistake::{
        BlockedIgnored, CleanedLate, CutPassed, EndIgnored, MemoElsewhere, MemoKept, MovedUnput,
        NewsForgotten, NotHandedOver, PageElsewhere, RestElsewhere,
    };
    for mistake in [
        BlockedIgnored,
        MovedUnput,
        CleanedLate,
        MemoElsewhere,
        MemoKept,
        EndIgnored,
        CutPassed,
        PageElsewhere,
        RestElsewhere,
        NotHandedOver,
        NewsForgotten,
    ] {
        assert!(explore(mistake).is_err(), "{mistake:?} is not found");
    }
}
