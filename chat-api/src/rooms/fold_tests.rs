use super::*;
use crate::message::{MemberAct, On, RoomId, RoomName, Visibility};
use crate::rooms::{Actor, Command, Refused, judge};

fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn at(offset: i64) -> Position {
    Position::from_raw(offset).unwrap()
}

/// Appends what the room lets a person do, judged by a state.
fn does(
    state: &mut RoomState,
    judged_by: &RoomState,
    position: i64,
    (name, command): (&str, &Command),
) -> Result<Verdict, Refused> {
    let (id, person) = (RoomId::parse("attic").unwrap(), person(name));
    let proposal = judge(judged_by, &id, command, Actor::Person(&person))?;
    Ok(state.decide(at(position), &person, &proposal))
}

/// Ada's public room, which Bob and Cid have joined.
fn room() -> RoomState {
    let (visibility, name) = (Visibility::Public, RoomName::parse("Attic").unwrap());
    let create = Command::Create { visibility, name };
    let mut state = RoomState::default();
    for (position, name, command) in
        [(10, "ada", &create), (11, "bob", &Command::Join), (12, "cid", &Command::Join)]
    {
        let before = state.clone();
        let verdict = does(&mut state, &before, position, (name, command));
        assert_eq!(verdict, Ok(Verdict::Accepted), "{name}");
    }
    state
}

#[test]
fn joins_of_different_people_do_not_collide_and_the_same_one_counts_once() {
    let before = room();
    let mut state = before.clone();
    let mut join = |name, position| does(&mut state, &before, position, (name, &Command::Join));
    assert_eq!(join("dan", 20), Ok(Verdict::Accepted));
    assert_eq!(join("fay", 21), Ok(Verdict::Accepted));
    assert_eq!(join("dan", 22), Ok(Verdict::Void));
    assert_eq!((state.members(), state.position(&person("dan"))), (5, at(20)));
    assert_eq!(state.at(), at(10), "joins leave the room where it is");
}

#[test]
fn of_two_owners_who_remove_each_other_the_first_in_the_log_wins() {
    let mut state = room();
    let promote = Command::SetRole {
        person: person("bob"),
        role: crate::rooms::Role::Owner,
        successor: None,
    };
    let before = state.clone();
    assert_eq!(does(&mut state, &before, 20, ("ada", &promote)), Ok(Verdict::Accepted));
    let before = state.clone();
    let removal = |name: &str| Command::Remove(person(name));
    let first = does(&mut state, &before, 21, ("bob", &removal("ada")));
    let second = does(&mut state, &before, 22, ("ada", &removal("bob")));
    assert_eq!((first, second), (Ok(Verdict::Accepted), Ok(Verdict::Void)));
    assert_eq!((state.owners(), state.standing(&person("ada"))), (1, Some(Standing::Left)));
}

#[test]
fn what_was_judged_before_somebody_left_and_came_back_does_not_count() {
    let before = room();
    let mut state = before.clone();
    let leave = Command::Leave { successor: None };
    assert_eq!(does(&mut state, &before, 20, ("bob", &leave)), Ok(Verdict::Accepted));
    let gone = state.clone();
    assert_eq!(does(&mut state, &gone, 21, ("bob", &Command::Join)), Ok(Verdict::Accepted));
    let removal = Command::Remove(person("bob"));
    let late = does(&mut state, &before, 22, ("ada", &removal));
    assert_eq!(late, Ok(Verdict::Void), "he whom she removed was there in another way");
    assert_eq!(state.standing(&person("bob")), Some(Standing::Member));
}

#[test]
fn an_act_of_the_system_names_no_actor_and_counts_whatever_its_record_is_signed_with() {
    let mut state = room();
    let (id, ada) = (RoomId::parse("attic").unwrap(), person("ada"));
    let remove = Command::Remove(ada.clone());
    let proposal = judge(&state, &id, &remove, Actor::System).unwrap();
    let before = state.clone();
    assert_eq!(state.decide(at(20), &ada, &proposal), Verdict::Accepted);
    assert_eq!(state.room().unwrap().phase, Phase::Archived, "she was the last owner");
    assert_eq!(state.at(), at(20));
    let mut state = before;
    assert_eq!(state.decide(at(20), &person("nobody"), &proposal), Verdict::Accepted);
}

#[test]
fn a_record_without_a_position_that_it_needs_is_void() {
    let before = room();
    let join = MemberChange {
        act: MemberAct::Join,
        subject: person("dan"),
        successor: None,
        archives: false,
        moves_room: false,
    };
    let on = On { room: at(10), actor: Some(at(-1)), subject: None };
    let join = Proposal { on, change: Proposed::Member(join) };
    assert_eq!(before.clone().decide(at(20), &person("dan"), &join), Verdict::Void);
    let on = On { room: at(10), actor: Some(at(10)), subject: Some(at(-1)) };
    let delete = Proposal { on, change: Proposed::Room(RoomChange::Delete) };
    assert_eq!(before.clone().decide(at(20), &person("ada"), &delete), Verdict::Void);
}

#[test]
fn a_deleted_room_stays_deleted_and_nothing_that_was_judged_before_counts() {
    let before = room();
    let mut state = before.clone();
    assert_eq!(does(&mut state, &before, 20, ("ada", &Command::Delete)), Ok(Verdict::Accepted));
    let tombstone = state.clone();
    let commands = [
        ("dan", Command::Join),
        ("bob", Command::Leave { successor: None }),
        ("bob", Command::Invite(person("fay"))),
        ("ada", Command::Ban(person("bob"))),
    ];
    for (name, command) in &commands {
        let late = does(&mut state, &before, 21, (name, command));
        assert_eq!(late, Ok(Verdict::Void), "{name} {command:?}");
    }
    assert_eq!(state, tombstone);
    assert!(!state.is_there() && state.members() == 0);
}
