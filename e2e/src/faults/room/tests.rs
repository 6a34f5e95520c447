//! What counts of a room's log, and who is in the room by it.

use serde_json::{Value, json};

use super::*;

/// A log of the room `attic`, which Ada makes at 0; every further record is one place on.
fn log(more: &[Value]) -> RoomLog {
    let mut log = RoomLog::default();
    let create = json!({ "type": "room", "user_id": "ada", "act": "create", "kind": "group",
                         "on": { "room": -1, "actor": -1 } });
    for (offset, value) in (0..).zip([create].iter().chain(more)) {
        let mut value = value.clone();
        value["v"] = json!(1);
        value["room_id"] = json!("attic");
        value["message_id"] = json!(Uuid::from_u128(u128::from(offset + 1_u32)));
        let (key, value) = (Some(b"attic".to_vec()), Some(value.to_string().into_bytes()));
        log.take("attic", &Record { offset: offset.into(), key, value });
    }
    log
}

fn act(act: &str, subject: &str, on: &Value) -> Value {
    json!({ "type": "member", "user_id": "ada", "act": act, "subject": subject, "on": on })
}

fn positions(log: &RoomLog) -> Vec<i64> {
    log.events.iter().map(|event| event.position).collect()
}

#[test]
fn whoever_is_removed_is_out_from_there_on_and_whoever_comes_again_is_in() {
    let invite = |at: i64| act("invite", "bob", &json!({ "room": 0, "actor": 0, "subject": at }));
    let remove = act("remove", "bob", &json!({ "room": 0, "actor": 0, "subject": 1 }));
    let removed = log(&[invite(-1), remove.clone()]);
    assert_eq!((removed.in_since("bob"), removed.out_since("bob")), (None, Some(2)));
    assert_eq!(removed.in_since("ada"), Some(0));
    let again = log(&[invite(-1), remove, invite(2)]);
    assert_eq!((again.in_since("bob"), again.out_since("bob")), (Some(3), None));
    assert_eq!(positions(&again), [0, 1, 2, 3]);
}

#[test]
fn what_was_judged_on_something_that_changed_is_no_event_and_changes_nothing() {
    let invite = act("invite", "bob", &json!({ "room": 0, "actor": 0, "subject": -1 }));
    let said = json!({ "type": "message", "user_id": "bob", "content": "hello" });
    let twice = log(&[invite.clone(), said, invite]);
    assert_eq!((positions(&twice), twice.in_since("bob")), (vec![0, 1, 2], Some(1)));
    for on in [
        json!({ "room": 7, "actor": 0, "subject": -1 }),
        json!({ "room": 0, "actor": -1, "subject": -1 }),
        json!({ "room": 0, "actor": 0, "subject": 0 }),
    ] {
        let log = log(&[act("invite", "bob", &on)]);
        assert_eq!((positions(&log), log.in_since("bob")), (vec![0], None));
    }
}

#[test]
fn what_changes_owners_moves_the_room() {
    let mut promote = act("promote", "bob", &json!({ "room": 0, "actor": 0, "subject": 1 }));
    promote["moves_room"] = json!(true);
    let invite =
        |room: i64| act("invite", "cid", &json!({ "room": room, "actor": 0, "subject": -1 }));
    let bob = act("invite", "bob", &json!({ "room": 0, "actor": 0, "subject": -1 }));
    let log = log(&[bob, promote, invite(0), invite(2)]);
    assert_eq!((positions(&log), log.in_since("cid")), (vec![0, 1, 2, 4], Some(4)));
}
