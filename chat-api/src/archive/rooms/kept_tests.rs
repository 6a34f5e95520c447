use chrono::DateTime;

use super::*;
use crate::archive::rooms::batch::RoomBatch;
use crate::message::{
    Body, Envelope, Event, Partition, Proposal, RoomId, RoomName, UserName, Visibility,
};
use crate::rooms::{Actor, Command, judge};

fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn at(offset: i64) -> Position {
    Position::from_raw(offset).unwrap()
}

fn none() -> Kept {
    let (state, upto) = (RoomState::default(), Position::BEFORE_ALL);
    Kept { state, upto, decided: HashSet::new() }
}

fn create() -> Command {
    let (visibility, name) = (Visibility::Public, RoomName::parse("Attic").unwrap());
    Command::Create { visibility, name }
}

fn proposal(state: &RoomState, by: &str, command: &Command) -> Proposal {
    let id = RoomId::parse("attic").unwrap();
    judge(state, &id, command, Actor::Person(&person(by))).unwrap()
}

/// The record at an offset, with that number for an id.
fn event(offset: i64, id: u8, by: &str, proposal: &Proposal) -> Event {
    let user_id = person(by);
    let envelope = Envelope {
        message_id: MessageId::new(DateTime::UNIX_EPOCH, [id; 10]),
        room_id: RoomId::parse("attic").unwrap(),
        user_name: UserName::shown(None, &user_id),
        user_id,
        timestamp: DateTime::UNIX_EPOCH,
        body: Body::Proposal(Box::new(proposal.clone())),
    };
    Event { partition: Partition::from_number(0).unwrap(), position: at(offset), envelope }
}

/// Ada makes a room, Bob and Cid join it, and Bob goes: judged one after another.
fn life() -> Vec<Event> {
    let wishes = [
        ("ada", create()),
        ("bob", Command::Join),
        ("cid", Command::Join),
        ("bob", Command::Leave { successor: None }),
    ];
    let mut state = RoomState::default();
    let append = |(number, (by, command)): (u8, &(&str, Command))| {
        let proposal = proposal(&state, by, command);
        let event = event(i64::from(number) * 10, number, by, &proposal);
        state.decide(event.position, &person(by), &proposal);
        event
    };
    (0..).zip(&wishes).map(append).collect()
}

#[test]
fn a_batch_writes_each_verdict_and_whoever_is_something_else_with_the_last_of_it() {
    let batch = RoomBatch::of(&life());
    let mut kept = none();
    let (_, proposals) = batch.rooms().pop_first().unwrap();
    let outcome = kept.decide(&proposals).unwrap();
    assert_eq!(kept.upto, at(30));
    assert!(outcome.verdicts.iter().all(|(_, verdict)| *verdict == Verdict::Accepted));
    let people: Vec<_> = outcome
        .people
        .into_iter()
        .map(|(name, is)| (name.as_str(), (is.standing, is.at)))
        .collect();
    let expected = [
        ("ada", (Standing::Owner, at(0))),
        ("bob", (Standing::Left, at(30))),
        ("cid", (Standing::Member, at(20))),
    ];
    assert_eq!(people, expected);
}

#[test]
fn what_was_decided_about_is_not_decided_about_again_wherever_reading_begins_anew() {
    let events = life();
    let whole = RoomBatch::of(&events);
    let mut expected = none();
    expected.decide(&whole.rooms().pop_first().unwrap().1);
    for killed_after in 0..=events.len() {
        for again_from in 0..=killed_after {
            let mut kept = none();
            let mut decided = 0;
            for part in [&events[..killed_after], &events[again_from..]] {
                let batch = RoomBatch::of(part);
                let Some((_, proposals)) = batch.rooms().pop_first() else { continue };
                // Another process knows only what was written.
                kept.decided.clear();
                let outcome = kept.decide(&proposals);
                decided += outcome.map_or(0, |outcome| outcome.verdicts.len());
            }
            assert_eq!(decided, events.len(), "{killed_after} {again_from}");
            assert_eq!((&kept.state, kept.upto), (&expected.state, expected.upto));
        }
    }
}

#[test]
fn an_id_that_stands_among_the_verdicts_gets_no_second_one_and_its_place_counts_as_read() {
    let mut events = life();
    let mut double = events[1].clone();
    double.position = at(40);
    events.push(double);
    let batch = RoomBatch::of(&events);
    let (_, proposals) = batch.rooms().pop_first().unwrap();
    let mut kept = none();
    assert_eq!(kept.decide(&proposals).unwrap().verdicts.len(), 4, "within a batch");
    assert_eq!(kept.upto, at(40));

    let mut kept = none();
    kept.decide(&proposals[..4]);
    let outcome = kept.decide(&proposals[4..]).unwrap();
    assert!(outcome.verdicts.is_empty() && outcome.people.is_empty(), "and in the next one");
    assert!(kept.decide(&proposals).is_none(), "nothing is to be written");
}

#[test]
fn a_void_proposal_has_a_verdict_and_changes_nobody() {
    let events = life();
    let stale = proposal(&RoomState::default(), "eve", &create());
    let late = event(40, 9, "eve", &stale);
    let batch = RoomBatch::of(events.iter().chain([&late]));
    let (_, proposals) = batch.rooms().pop_first().unwrap();
    let mut kept = none();
    let outcome = kept.decide(&proposals).unwrap();
    assert_eq!(outcome.verdicts.last().unwrap().1, Verdict::Void);
    assert!(!outcome.people.contains_key(&person("eve")));
    assert_eq!(kept.upto, at(40));
}
