//! Rooms of a dozen people in which thousands of things are wanted, by whoever, judged by replicas that
//! are behind: what holds of every small log holds of long ones.

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::{Actor, Command, Phase, Refused, Role, RoomKind, RoomState, Verdict, judge};
use crate::message::{Position, RoomId, RoomName, Settings, Standing, UserId, Visibility};

const PEOPLE: usize = 12;
const ROOMS: u64 = 40;
const RECORDS: i64 = 250;
/// How far a replica may be behind, in states of the room.
const LAG: usize = 6;

fn person(number: usize) -> UserId {
    UserId::parse(&format!("person-{number}")).unwrap()
}

fn somebody(chance: &mut StdRng) -> UserId {
    person(chance.random_range(0..PEOPLE))
}

fn successor(chance: &mut StdRng) -> Option<UserId> {
    chance.random_bool(0.5).then(|| somebody(chance))
}

fn wish(chance: &mut StdRng) -> Command {
    let name = || RoomName::parse("Attic").unwrap();
    match chance.random_range(0..40) {
        0 => Command::Create { visibility: Visibility::Public, name: name() },
        1 => Command::Delete,
        2..4 => Command::Change(Settings {
            name: None,
            visibility: Some(Visibility::Group).filter(|_| chance.random_bool(0.1)),
            archived: Some(chance.random_bool(0.3)),
        }),
        4..15 => Command::Join,
        15..20 => Command::Invite(somebody(chance)),
        20..24 => Command::Leave { successor: successor(chance) },
        24..28 => Command::Remove(somebody(chance)),
        28..34 => {
            let role = if chance.random_bool(0.6) { Role::Owner } else { Role::Member };
            let successor = successor(chance).filter(|_| chance.random_bool(0.3));
            Command::SetRole { person: somebody(chance), role, successor }
        }
        34..37 => Command::Ban(somebody(chance)),
        _ => Command::Unban(somebody(chance)),
    }
}

/// A room that somebody has just made.
fn made(id: &RoomId) -> RoomState {
    let (visibility, name) = (Visibility::Public, RoomName::parse("Attic").unwrap());
    let (mut state, creator) = (RoomState::default(), person(0));
    let create = Command::Create { visibility, name };
    let create = judge(&state, id, &create, Actor::Person(&creator)).unwrap();
    assert_eq!(state.decide(Position::FIRST, &creator, &create), Verdict::Accepted);
    state
}

/// What may never be, whatever was done.
fn check(state: &RoomState) {
    let room = state.room().unwrap();
    let is_owned = room.kind == RoomKind::Direct || state.owners() > 0;
    assert!(room.phase != Phase::Open || is_owned, "nobody owns an open room");
    let standings: Vec<_> =
        (0..PEOPLE).filter_map(|number| state.standing(&person(number))).collect();
    let count = |is: fn(Standing) -> bool| standings.iter().filter(|it| is(**it)).count();
    assert_eq!(u32::try_from(count(Standing::is_in)), Ok(state.members()));
    assert_eq!(u32::try_from(count(|it| it == Standing::Owner)), Ok(state.owners()));
}

#[test]
fn what_is_judged_at_the_head_counts_and_what_is_judged_behind_counts_if_it_is_right_there_too() {
    let id = RoomId::parse("attic").unwrap();
    let (mut counted, mut void, mut late) = (0, 0, 0);
    for seed in 0..ROOMS {
        let mut chance = StdRng::seed_from_u64(seed);
        let mut states = vec![made(&id)];
        for position in 1..=RECORDS {
            let position = Position::from_raw(position).unwrap();
            let (command, by) = (wish(&mut chance), somebody(&mut chance));
            let actor = Actor::Person(&by);
            let behind = chance.random_range(0..states.len().min(LAG));
            let judged_by = &states[states.len() - 1 - behind];
            let head = states.last().unwrap();
            let Ok(proposal) = judge(judged_by, &id, &command, actor) else { continue };
            let mut state = head.clone();
            let verdict = state.decide(position, &by, &proposal);
            assert!(behind > 0 || verdict == Verdict::Accepted, "{seed}: {command:?} at the head");
            if verdict == Verdict::Void {
                assert_eq!(&state, head);
                void += 1;
                continue;
            }
            let here = judge(head, &id, &command, actor);
            assert_eq!(here.as_ref(), Ok(&proposal), "{seed}: counts, and is not right here");
            let was_banned =
                |number: &usize| head.standing(&person(*number)) == Some(Standing::Banned);
            for number in (0..PEOPLE).filter(was_banned) {
                let is_in = state.standing(&person(number)).is_some_and(Standing::is_in);
                assert!(!is_in, "{seed}: {command:?} lets in whoever is banned");
            }
            check(&state);
            let again = state.clone().decide(position.next(), &by, &proposal);
            assert_eq!(again, Verdict::Void, "{seed}: {command:?} counts twice");
            counted += 1;
            late += usize::from(behind > 0);
            states.push(state);
        }
    }
    println!("{counted} counted, {late} of them judged behind, {void} void");
    assert!(counted > 500 && late > 100 && void > 100, "{counted} {late} {void}");
}

#[test]
fn whatever_is_refused_leaves_a_reason_and_strangers_learn_nothing_of_a_group() {
    let id = RoomId::parse("attic").unwrap();
    let mut state = made(&id);
    let group = Settings { visibility: Some(Visibility::Group), ..Settings::default() };
    let owner = person(0);
    let group = judge(&state, &id, &Command::Change(group), Actor::Person(&owner)).unwrap();
    state.decide(Position::FIRST.next(), &owner, &group);
    let mut chance = StdRng::seed_from_u64(7);
    for _ in 0..2_000 {
        let (command, stranger) = (wish(&mut chance), person(PEOPLE));
        let refused = judge(&state, &id, &command, Actor::Person(&stranger)).unwrap_err();
        // An id is made of whoever makes the room: nobody else comes to ask for it.
        let may_know = matches!(command, Command::Create { .. });
        assert!(may_know || refused == Refused::NoRoom, "{command:?}: {refused}");
    }
}
