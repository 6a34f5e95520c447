//! Every small log: whoever reads it, from wherever, lagging, twice or after a crash, sees the same room,
//! and nothing counts in it that the rules would not allow right there.
//!
//! The rules, the comparisons and the state are the real ones. A command is judged at any state that the
//! log had before (a replica that lags), appended, and may stand in the log again later (a double of the
//! producer). Beside the reader of the whole log there are the archive, which knows only those whom a
//! record concerns, is killed anywhere and reads again from anywhere before, and somebody who hears the
//! room.

#[path = "model_tests/mistakes.rs"]
mod mistakes;
#[path = "model_tests/readers.rs"]
mod readers;
#[path = "model_tests/scenarios.rs"]
mod scenarios;

use super::{Actor, Phase, RoomKind, RoomState, Verdict, judge};
use crate::message::{Position, Proposal, RoomId, Standing, UserId};
use mistakes::Mistake;
use scenarios::{Scenario, Wish};

/// What a place of the log says.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    /// Who wants what: the number of it in the scenario.
    wish: usize,
    proposal: Proposal,
}

struct Model {
    id: RoomId,
    people: Vec<UserId>,
    wishes: Vec<Wish>,
    depth: usize,
    mistake: Mistake,
}

/// A log, and what it has come to.
#[derive(Default)]
struct Walk {
    log: Vec<Record>,
    verdicts: Vec<Verdict>,
    /// Before the first record, and after each.
    states: Vec<RoomState>,
    /// How many logs were visited, and how many records counted in them.
    logs: usize,
    accepted: usize,
}

impl Walk {
    fn push(&mut self, record: &Record, verdict: Verdict, state: RoomState) {
        self.log.push(record.clone());
        self.verdicts.push(verdict);
        self.states.push(state);
    }

    fn pop(&mut self) {
        self.log.pop();
        self.verdicts.pop();
        self.states.pop();
    }
}

fn at(place: usize) -> Position {
    // The room was made at the first one.
    Position::from_raw(i64::try_from(place).unwrap() + 1).unwrap()
}

impl Model {
    fn new(scenario: Scenario, mistake: Mistake) -> (Self, RoomState) {
        let Scenario { id, people, start, wishes, depth } = scenario;
        (Self { id, people, wishes, depth, mistake }, start)
    }

    fn actor(&self, wish: usize) -> Actor<'_> {
        self.wishes[wish].by.map_or(Actor::System, |by| Actor::Person(&self.people[by]))
    }

    /// Whose name a record bears.
    fn signer<'a>(&'a self, record: &'a Record) -> &'a UserId {
        let by = self.wishes[record.wish].by;
        by.map_or_else(|| record.proposal.change.subject().unwrap(), |by| &self.people[by])
    }

    fn judged(&self, state: &RoomState, wish: usize) -> Option<Record> {
        let command = &self.wishes[wish].command;
        let mut proposal = judge(state, &self.id, command, self.actor(wish)).ok()?;
        self.mistake.of_judge(state, &mut proposal);
        Some(Record { wish, proposal })
    }

    /// Visits every log that begins with this one. What may be appended is whatever was allowed in some
    /// state of it, so also what stands there. Behind a record that is void everything is as before it:
    /// it is walked no further, and only remembered, since it must never count.
    fn explore(
        &self,
        walk: &mut Walk,
        options: &[Record],
        void_before: &[Record],
    ) -> Result<(), String> {
        let (mut options, mut void) = (options.to_vec(), void_before.to_vec());
        for wish in 0..self.wishes.len() {
            let judged = self.judged(walk.states.last().unwrap(), wish);
            options.extend(judged.filter(|record| !options.contains(record)));
        }
        let place = walk.log.len();
        let mut counting = Vec::new();
        for record in &options {
            walk.logs += 1;
            let mut state = walk.states[place].clone();
            let verdict = self.read(&mut state, at(place), record);
            walk.push(record, verdict, state);
            let checked = self.check(walk, void_before).and_then(|()| self.check_readers(walk));
            checked.map_err(|what| format!("{what}: {:#?} {:?}", walk.log, walk.verdicts))?;
            walk.pop();
            let sorted = if verdict == Verdict::Void { &mut void } else { &mut counting };
            sorted.push(record.clone());
        }
        walk.accepted += counting.len();
        if place + 1 == self.depth {
            return Ok(());
        }
        for record in &counting {
            let mut state = walk.states[place].clone();
            let verdict = self.read(&mut state, at(place), record);
            walk.push(record, verdict, state);
            self.explore(walk, &options, &void)?;
            walk.pop();
        }
        Ok(())
    }

    /// What must hold of the last record.
    fn check(&self, walk: &Walk, void_before: &[Record]) -> Result<(), String> {
        let wrong = |what: &str| Err(what.to_owned());
        let place = walk.log.len() - 1;
        let (record, verdict) = (&walk.log[place], walk.verdicts[place]);
        let [before, after] = [&walk.states[place], &walk.states[place + 1]];
        if verdict == Verdict::Void {
            return if before == after { Ok(()) } else { wrong("what is void changes something") };
        }
        if walk.log[..place].contains(record) {
            return wrong("what stood in the log before counts");
        }
        if void_before.contains(record) {
            return wrong("what was void counts");
        }
        match self.judged(before, record.wish) {
            Some(judged) if judged.proposal.change == record.proposal.change => {}
            Some(_) => return wrong("what counts is not what would be ruled here"),
            None => return wrong("what counts is against the rules"),
        }
        let Some(room) = after.room() else { return wrong("a room is forgotten") };
        let is_owned = room.kind == RoomKind::Direct || after.owners() > 0;
        if room.phase == Phase::Open && !is_owned {
            return wrong("nobody owns an open room");
        }
        for person in &self.people {
            if room.phase != Phase::Deleted && after.position(person) < before.position(person) {
                return wrong("a position falls");
            }
            let was_banned = before.standing(person) == Some(Standing::Banned);
            let is_in = after.standing(person).is_some_and(Standing::is_in);
            if was_banned && is_in {
                return wrong("whoever is banned is in");
            }
        }
        if after.at() < before.at() { wrong("the position of the room falls") } else { Ok(()) }
    }
}

fn explore(mistake: Mistake) -> Result<(usize, usize), String> {
    let mut all = (0, 0);
    for scenario in scenarios::all() {
        let (model, start) = Model::new(scenario, mistake);
        let mut walk = Walk { states: vec![start], ..Walk::default() };
        model.explore(&mut walk, &[], &[])?;
        println!("{} logs, {} records counted", walk.logs, walk.accepted);
        all = (all.0 + walk.logs, all.1 + walk.accepted);
    }
    Ok(all)
}

#[test]
fn whoever_reads_a_log_from_wherever_sees_one_room_that_keeps_its_rules() {
    let (logs, accepted) = explore(Mistake::None).unwrap();
    assert!(logs > 10_000 && accepted > 2_500, "{logs} logs, {accepted} records counted");
}

#[test]
fn each_seeded_mistake_is_found() {
    for mistake in Mistake::ALL {
        assert!(explore(mistake).is_err(), "{mistake:?} is not found");
    }
}
