use serde_json::json;

use super::*;
use crate::message::envelope::VERSION;
use crate::message::{
    Body, Envelope, MemberAct, Position, ReadValue, RoomName, Settings, Visibility, decoded,
};

fn person(name: &str) -> UserId {
    UserId::parse(name).unwrap()
}

fn envelope(change: Proposed) -> Envelope {
    let at = |raw| Position::from_raw(raw).unwrap();
    let subject = change.other().map(|_| at(i64::MAX - 1));
    let on = On { room: at(7), actor: Some(Position::BEFORE_ALL), subject };
    let user_id = person("ada");
    Envelope {
        message_id: MessageId::new(DateTime::UNIX_EPOCH, [1; 10]),
        room_id: RoomId::parse("attic").unwrap(),
        user_name: UserName::shown(Some("Ada"), &user_id),
        user_id,
        timestamp: DateTime::UNIX_EPOCH,
        body: Body::Proposal(Box::new(Proposal { on, change })),
    }
}

fn member(act: MemberAct, subject: &str, successor: Option<&str>) -> Proposed {
    let (archives, moves_room) = (successor.is_some(), act == MemberAct::Promote);
    let successor = successor.map(person);
    Proposed::Member(MemberChange {
        act,
        subject: person(subject),
        successor,
        archives,
        moves_room,
    })
}

fn every() -> Vec<Proposed> {
    let (visibility, name) = (Visibility::Group, RoomName::parse("Attic \u{1f331}").unwrap());
    let settings = Settings {
        name: Some(name.clone()),
        visibility: Some(Visibility::Public),
        archived: Some(false),
    };
    vec![
        Proposed::Room(RoomChange::Create { visibility, name }),
        Proposed::Room(RoomChange::CreateDirect { with: person("bob") }),
        Proposed::Room(RoomChange::Set(settings)),
        Proposed::Room(RoomChange::Set(Settings::default())),
        Proposed::Room(RoomChange::Delete),
        member(MemberAct::Join, "ada", None),
        member(MemberAct::Invite, "bob", None),
        member(MemberAct::Leave, "ada", Some("bob")),
        member(MemberAct::Remove, "bob", None),
        member(MemberAct::Promote, "bob", None),
        member(MemberAct::Demote, "ada", Some("bob")),
        member(MemberAct::Ban, "bob", None),
        member(MemberAct::Unban, "bob", None),
        member(MemberAct::Block, "bob", None),
        member(MemberAct::Unblock, "bob", None),
    ]
}

fn read_again(envelope: &Envelope) -> Option<Envelope> {
    match decoded::read(&serde_json::to_vec(envelope).unwrap(), None).unwrap() {
        ReadValue::Known(envelope) => Some(envelope),
        ReadValue::Newer(_) => None,
    }
}

#[test]
fn every_proposal_survives_the_log_and_is_critical_there() {
    for change in every() {
        let envelope = envelope(change);
        assert_eq!(read_again(&envelope).as_ref(), Some(&envelope));
        let json = serde_json::to_value(&envelope).unwrap();
        assert_eq!((&json["v"], &json["critical"]), (&json!(VERSION), &json!(true)), "{json}");
    }
}

#[test]
fn the_form_of_a_proposal_is_what_other_releases_read() {
    let form = |change| {
        let mut json = serde_json::to_value(envelope(change)).unwrap();
        for common in
            ["v", "critical", "message_id", "room_id", "user_id", "user_name", "timestamp"]
        {
            json.as_object_mut().unwrap().remove(common);
        }
        json
    };
    let (on, on_other) = (json!({ "room": 7, "actor": -1 }), 9_223_372_036_854_775_806_i64);
    let on_other = json!({ "room": 7, "actor": -1, "subject": on_other });
    let name = "Attic \u{1f331}";
    let forms = [
        json!({ "type": "room", "act": "create", "kind": "group", "name": name, "on": on }),
        json!({ "type": "room", "act": "create_direct", "subject": "bob", "on": on_other }),
        json!({ "type": "room", "act": "set", "name": name, "kind": "public", "archived": false, "on": on }),
        json!({ "type": "room", "act": "set", "on": on }),
        json!({ "type": "room", "act": "delete", "on": on }),
        json!({ "type": "member", "act": "join", "subject": "ada", "on": on_other }),
        json!({ "type": "member", "act": "invite", "subject": "bob", "on": on_other }),
        json!({ "type": "member", "act": "leave", "subject": "ada", "successor": "bob", "archives": true, "on": on_other }),
        json!({ "type": "member", "act": "remove", "subject": "bob", "on": on_other }),
        json!({ "type": "member", "act": "promote", "subject": "bob", "moves_room": true, "on": on_other }),
    ];
    for (change, expected) in every().into_iter().zip(forms) {
        assert_eq!(form(change), expected);
    }
}

#[test]
fn a_field_that_a_later_release_adds_does_no_harm() {
    for change in every() {
        let envelope = envelope(change);
        let mut json = serde_json::to_value(&envelope).unwrap();
        json["added"] = json!({ "on": [1] });
        json["on"]["added"] = json!(1);
        let read = decoded::read(&serde_json::to_vec(&json).unwrap(), None).unwrap();
        assert!(matches!(read, ReadValue::Known(read) if read == envelope), "{json}");
    }
}

#[test]
fn a_proposal_that_is_not_understood_is_of_a_later_release_and_no_fault() {
    let cases = [
        ("act", json!("mute")),
        ("act", json!(null)),
        ("on", json!({ "actor": 1 })),
        ("on", json!({ "room": -2 })),
        ("on", json!({ "room": 1.5 })),
        ("subject", json!("")),
        ("successor", json!("cid")),
        ("archives", json!("yes")),
        ("message_id", json!("1")),
        ("timestamp", json!("2023-11-14T22:13:20.0001Z")),
        ("critical", json!(false)),
    ];
    for (field, value) in cases {
        let mut json =
            serde_json::to_value(envelope(member(MemberAct::Remove, "bob", None))).unwrap();
        json[field] = value;
        let read = decoded::read(&serde_json::to_vec(&json).unwrap(), None).unwrap();
        match read {
            ReadValue::Newer(head) => {
                assert!(head.critical && head.kind == Kind::Member.name(), "{json}");
            }
            // What it says of itself changes nothing of what it is.
            ReadValue::Known(_) => assert_eq!(field, "critical", "{json}"),
        }
    }
    let mut system = envelope(member(MemberAct::Leave, "ada", Some("bob")));
    if let Body::Proposal(proposal) = &mut system.body {
        proposal.on.actor = None;
    }
    assert_eq!(read_again(&system), None, "three people cannot be compared by two positions");
}
