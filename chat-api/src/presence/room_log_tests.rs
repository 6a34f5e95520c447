//! What those who hear a room are told

use std::collections::BTreeSet;

use serde_json::Value;

use super::*;
use crate::message::UserName;
use crate::ws::text;

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

/// Who is online now.
fn update(log: &mut RoomLog, names: &[&str]) {
    let person =
        |name: &&str| Person { user_id: user(name), user_name: UserName::parse("N").unwrap() };
    log.update(names.iter().map(person).collect());
}

/// Somebody who hears the room.
struct Ear {
    person: UserId,
    known: u64,
    online: BTreeSet<String>,
}

impl Ear {
    fn of(name: &str) -> Self {
        Self { person: user(name), known: 0, online: BTreeSet::new() }
    }

    /// Takes what there is: how many frames.
    fn take(&mut self, log: &RoomLog) -> usize {
        let (room, mut frames) = (RoomId::parse("attic").unwrap(), 0);
        while let Some(told) = log.offer(&room).to(Some(&self.person), self.known) {
            let frame: Value = serde_json::from_slice(text(&told.frames).unwrap()).unwrap();
            assert_eq!((&frame["type"], &frame["room_id"]), (&"presence".into(), &"attic".into()));
            let ids = |name: &str| {
                let ids = frame[name].as_array().unwrap().clone();
                ids.into_iter().map(|id| id.as_str().unwrap().to_owned())
            };
            self.online.extend(ids("online"));
            for gone in ids("offline") {
                assert!(self.online.remove(&gone), "{gone} was not online");
            }
            assert!(told.version > self.known);
            self.known = told.version;
            frames += 1;
            if !told.has_more {
                break;
            }
        }
        frames
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn who_begins_to_listen_is_told_who_is_online_and_then_what_changes() {
    let mut log = RoomLog::default();
    update(&mut log, &["ada", "bob"]);
    update(&mut log, &["ada", "cleo"]);
    let mut ada = Ear::of("ada");
    assert_eq!((ada.take(&log), ada.online.clone()), (1, names(&["ada", "cleo"])));
    assert_eq!(ada.take(&log), 0, "nothing twice");
    update(&mut log, &["ada", "bob"]);
    assert_eq!((ada.take(&log), ada.online), (1, names(&["ada", "bob"])));
}

#[test]
fn who_is_late_is_told_in_one_frame_how_it_came_out() {
    let mut log = RoomLog::default();
    update(&mut log, &["ada"]);
    let mut ada = Ear::of("ada");
    ada.take(&log);
    for _ in 0..1_000 {
        update(&mut log, &["ada", "bob", "cleo"]);
        update(&mut log, &["ada", "dora"]);
    }
    assert_eq!(log.numbers.len(), 4, "each person is there once");
    let known = ada.known;
    let part = log.since(known).unwrap();
    assert_eq!(
        (part.online, part.offline),
        (vec![&user("dora")], vec![&user("bob"), &user("cleo")])
    );
}

#[test]
fn whoever_is_not_of_the_room_is_told_nothing() {
    let mut log = RoomLog::default();
    update(&mut log, &["ada", "bob"]);
    let mut bob = Ear::of("bob");
    assert_eq!(Ear::of("eve").take(&log), 0);
    assert_eq!(bob.take(&log), 1);
    update(&mut log, &["ada"]);
    assert_eq!(bob.take(&log), 0, "nor is who has left it");
    update(&mut log, &["ada", "bob", "cleo"]);
    assert_eq!((bob.take(&log), bob.online), (1, names(&["ada", "bob", "cleo"])));
}

#[test]
fn many_come_in_several_frames_none_of_which_is_large() {
    let mut log = RoomLog::default();
    let people: Vec<String> = (0..500).map(|number| format!("{number:0>255}")).collect();
    let people: Vec<&str> = people.iter().map(String::as_str).collect();
    update(&mut log, &people);
    let mut ear = Ear::of(people[0]);
    let room = RoomId::parse("attic").unwrap();
    let first = log.offer(&room).to(Some(&ear.person), 0).unwrap();
    assert!(first.has_more && first.frames.len() < PART_BYTES + 1_024, "{}", first.frames.len());
    let frames = ear.take(&log);
    assert!((20..30).contains(&frames), "{frames}");
    assert_eq!(ear.online, names(&people));
}
