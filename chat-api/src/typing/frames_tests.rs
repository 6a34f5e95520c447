//! What those who hear a room are told

use serde_json::{Value, json};

use super::*;
use crate::message::UserName;
use crate::ws::text;

fn user(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn of(names: &[&str]) -> TypingFrames {
    let person =
        |name: &&str| Person { user_id: user(name), user_name: UserName::parse(name).unwrap() };
    TypingFrames::of(&RoomId::lobby(), names.iter().map(person).collect())
}

/// What a person is told, frame by frame.
fn told(frames: &TypingFrames, name: &str) -> Vec<Value> {
    let Some(Told { mut frames, version, has_more }) = frames.to(Some(&user(name)), 7) else {
        return Vec::new();
    };
    assert_eq!((version, has_more), (7, false), "it is no state");
    let mut told = Vec::new();
    while !frames.is_empty() {
        // Each is so short that its length is one byte.
        let frame = frames.split_to(2 + usize::from(frames[1]));
        told.push(serde_json::from_slice(text(&frame).unwrap()).unwrap());
    }
    told
}

#[test]
fn nobody_is_told_of_oneself() {
    let frame = |name: &str| json!({ "type": "typing", "room_id": "lobby", "user_id": name, "user_name": name });
    let both = of(&["ada", "bob"]);
    assert_eq!(told(&both, "cleo"), [frame("ada"), frame("bob")]);
    assert_eq!(told(&both, "ada"), [frame("bob")]);
    assert_eq!(told(&of(&["ada"]), "ada"), Vec::<Value>::new());
    assert_eq!(told(&of(&["ada"]), "bob"), [frame("ada")]);
}
