use super::*;
use crate::message::Position;
use crate::rooms::{Phase, Room, RoomKind};

fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn room() -> RoomState {
    let made = Room { kind: RoomKind::Group, name: None, phase: Phase::Open };
    let mut state = RoomState::restored(Position::FIRST, Some(made));
    let people = [
        ("ada", Standing::Owner),
        ("bob", Standing::Member),
        ("cid", Standing::Left),
        ("eve", Standing::Banned),
        ("mal", Standing::Blocked),
    ];
    for (name, standing) in people {
        state.set(&person(name), standing, Position::FIRST);
    }
    state
}

fn put(name: &str, to_be: Option<ToBe>) -> Command {
    let wish = RoomWish::Put { person: person(name), to_be, successor: None };
    wish.command(&room(), &person("ada"))
}

fn end(name: &str, successor: Option<&str>) -> Command {
    let wish = RoomWish::End { person: person(name), successor: successor.map(person) };
    wish.command(&room(), &person("ada"))
}

fn role(name: &str, role: Role) -> Command {
    Command::SetRole { person: person(name), role, successor: None }
}

#[test]
fn what_is_done_for_a_wish_depends_on_what_the_person_is() {
    let (owner, member) = (Some(ToBe::In(Role::Owner)), Some(ToBe::In(Role::Member)));
    assert_eq!(put("ada", None), Command::Join);
    assert_eq!(put("bob", None), Command::Invite(person("bob")));
    assert_eq!(put("bob", member), role("bob", Role::Member));
    assert_eq!(put("bob", owner), role("bob", Role::Owner));
    assert_eq!(put("cid", member), Command::Invite(person("cid")));
    assert_eq!(put("cid", owner), role("cid", Role::Owner), "who is not in it is told so");
    assert_eq!(put("ada", member), role("ada", Role::Member));
    assert_eq!(put("bob", Some(ToBe::Banned)), Command::Ban(person("bob")));
    assert_eq!(end("ada", Some("bob")), Command::Leave { successor: Some(person("bob")) });
    assert_eq!(end("bob", None), Command::Remove(person("bob")));
    assert_eq!(end("cid", None), Command::Remove(person("cid")));
    assert_eq!(end("eve", None), Command::Unban(person("eve")));
    assert_eq!(end("mal", None), Command::Unban(person("mal")));
}
