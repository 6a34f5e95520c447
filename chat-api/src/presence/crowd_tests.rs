//! Who of a room is online

use std::time::Duration;

use super::*;
use crate::message::{Author, UserName};
use crate::presence::core::Pace;
use crate::presence::record::Boot;

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

#[test]
fn everybodys_room_has_a_number_and_no_names() {
    let core = with_online(&["ada".to_owned(), "bob".to_owned()]);
    let presence = core.of_room(&Crowd::Everybody);
    assert_eq!(presence, RoomPresence { online: 2, people: None });
}

#[test]
fn of_members_those_are_named_who_are_online_while_they_are_few() {
    let names: Vec<String> = (0..=NAMED_MAX).map(|number| format!("{number:03}")).collect();
    let core = with_online(&names);
    let mut members = vec![user("never seen"), user("002"), user("001")];
    let RoomPresence { online, people } = core.of_room(&Crowd::Members(members.clone()));
    let people: Vec<String> =
        people.unwrap().iter().map(|person| person.user_id.to_string()).collect();
    assert_eq!((online, people), (2, vec!["001".to_owned(), "002".to_owned()]));

    members.extend(names[3..].iter().map(|name| user(name)));
    let RoomPresence { online, people } = core.of_room(&Crowd::Members(members.clone()));
    assert_eq!((online, people.map(|people| people.len())), (NAMED_MAX, Some(NAMED_MAX)));
    members.push(user("000"));
    let presence = core.of_room(&Crowd::Members(members));
    assert_eq!(presence, RoomPresence { online: NAMED_MAX + 1, people: None });
}

#[test]
fn each_room_is_told_of_its_own_people() {
    let person =
        |name: &str| Person { user_id: user(name), user_name: UserName::parse(name).unwrap() };
    let room = |name: &str| RoomId::parse(name).unwrap();
    let changes = [
        Change::Online(person("ada")),
        Change::Offline(user("bob")),
        Change::Online(person("cleo")),
    ];
    let rooms_of = |person: &UserId| match person.as_str() {
        "ada" => vec![room("attic"), room("cellar")],
        "bob" => vec![room("cellar")],
        _ => Vec::new(),
    };
    let told = by_room(&changes, rooms_of);
    let attic = RoomChanges { online: vec![person("ada")], offline: Vec::new() };
    let cellar = RoomChanges { online: vec![person("ada")], offline: vec![user("bob")] };
    assert_eq!(told, BTreeMap::from([(room("attic"), attic), (room("cellar"), cellar)]));
}
