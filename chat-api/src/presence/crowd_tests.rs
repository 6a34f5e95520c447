//! Who of a room is online

use std::time::Duration;

use super::*;
use crate::message::{Author, Position, Standing, UserId, UserName};
use crate::presence::core::Pace;
use crate::presence::record::Boot;
use crate::rooms::RoomState;

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn with_online(names: &[String]) -> Core {
    let pace = Pace { every: Duration::from_secs(10), grace: Duration::from_secs(10) };
    let mut core = Core::new("one".to_owned(), Boot::new(uuid::Uuid::nil()), pace);
    for name in names {
        let author = Author { user_id: user(name), user_name: UserName::parse(name).unwrap() };
        assert!(core.enter(&author));
    }
    core
}

fn members<'a>(names: impl IntoIterator<Item = &'a str>) -> Crowd {
    Crowd::Members(names.into_iter().map(|name| PersonKey::of(&user(name))).collect())
}

#[test]
fn everybodys_room_has_a_number_and_no_names() {
    let core = with_online(&["ada".to_owned(), "bob".to_owned()]);
    assert_eq!(Crowd::of(Known::Lobby), Some(Crowd::Everybody));
    let presence = core.of_room(&Crowd::Everybody);
    assert_eq!(presence, RoomPresence { online: 2, people: None });
}

#[test]
fn those_are_of_a_room_who_are_in_it() {
    let mut state = RoomState::default();
    for (name, standing) in [
        ("ada", Standing::Owner),
        ("bob", Standing::Member),
        ("cleo", Standing::Left),
        ("dora", Standing::Banned),
        ("eve", Standing::Blocked),
    ] {
        state.set(&user(name), standing, Position::FIRST);
    }
    let Some(Crowd::Members(mut of_room)) = Crowd::of(Known::Room(&state)) else { panic!() };
    let Crowd::Members(mut expected) = members(["ada", "bob", "eve"]) else { panic!() };
    of_room.sort();
    expected.sort();
    assert_eq!(of_room, expected, "who is blocked is in the room");
    assert_eq!(Crowd::of(Known::NotLoaded), None);
    assert_eq!(Crowd::of(Known::Unloaded), None);
}

#[test]
fn of_members_those_are_named_who_are_online_while_they_are_few() {
    let names: Vec<String> = (0..=NAMED_MAX).map(|number| format!("{number:03}")).collect();
    let core = with_online(&names);
    let RoomPresence { online, people } = core.of_room(&members(["never seen", "002", "001"]));
    let people: Vec<String> =
        people.unwrap().iter().map(|person| person.user_id.to_string()).collect();
    assert_eq!((online, people), (2, vec!["001".to_owned(), "002".to_owned()]));

    let few = names[1..].iter().map(String::as_str).chain(["never seen"]);
    let RoomPresence { online, people } = core.of_room(&members(few));
    assert_eq!((online, people.map(|people| people.len())), (NAMED_MAX, Some(NAMED_MAX)));
    let presence = core.of_room(&members(names.iter().map(String::as_str)));
    assert_eq!(presence, RoomPresence { online: NAMED_MAX + 1, people: None });
}
