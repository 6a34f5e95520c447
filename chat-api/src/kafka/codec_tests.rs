use chrono::DateTime;
use serde_json::json;

use super::*;
use crate::message::{Author, Content, Draft, Head, UserId, UserName};

fn envelope() -> Envelope {
    let user_id = UserId::parse("u").unwrap();
    let author = Author { user_name: UserName::shown(None, &user_id), user_id };
    let content = Content::parse("hi \"there\"").unwrap();
    let draft = Draft { room_id: RoomId::lobby(), content, reply_to: None, key: None };
    Envelope::compose(
        draft,
        &author,
        DateTime::from_timestamp_millis(1_700_000_000_123).unwrap(),
        [1; 10],
    )
}

fn decoder(partitions: usize) -> Decoder {
    Decoder::new(Partitioner::new(partitions).unwrap())
}

/// Reads a record of the lobby, in its place.
fn read(value: &[u8]) -> Result<Decoded, DecodeError> {
    let home = decoder(6).partitioner().of(&RoomId::lobby());
    decoder(6).decode(Some(b"lobby"), Some(value), home)
}

fn with(changes: &serde_json::Value) -> Vec<u8> {
    let mut json = serde_json::to_value(envelope()).unwrap();
    for (field, value) in changes.as_object().unwrap() {
        json[field] = value.clone();
    }
    serde_json::to_vec(&json).unwrap()
}

#[test]
fn an_envelope_survives_the_log() {
    let bytes = encode(&envelope());
    assert_eq!(read(&bytes).unwrap(), Decoded::Known(envelope()));

    let json: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(json["v"], 1);
    assert_eq!(json["type"], "message");
    assert_eq!(json["timestamp"], "2023-11-14T22:13:20.123Z");
}

#[test]
fn a_field_that_a_later_version_adds_does_no_harm() {
    for added in [json!({ "thread": "x" }), json!({ "critical": true }), json!({ "ref": [1] })] {
        assert_eq!(read(&with(&added)).unwrap(), Decoded::Known(envelope()), "{added}");
    }
}

#[test]
fn a_kind_or_a_form_of_a_later_release_is_told_apart_whatever_else_it_says() {
    let newer = |version, kind: &str, critical| {
        let head = Head { version, kind: kind.to_owned(), critical };
        Decoded::Newer(Newer { room_id: RoomId::lobby(), head })
    };
    let cases = [
        (with(&json!({ "v": 2 })), newer(2, "message", false)),
        (with(&json!({ "type": "poll" })), newer(1, "poll", false)),
        (with(&json!({ "type": "poll", "content": { "a": 1 } })), newer(1, "poll", false)),
        (with(&json!({ "type": "edit", "v": 2 })), newer(2, "edit", false)),
        (with(&json!({ "v": 3, "room_id": ["elsewhere"] })), newer(3, "message", false)),
        (br#" {"type":"member","v":1,"critical":true}"#.to_vec(), newer(1, "member", true)),
        (br#"{"type":"me\u006dber","v":0,"critical":null}"#.to_vec(), newer(0, "member", false)),
    ];
    for (value, expected) in cases {
        assert_eq!(read(&value).unwrap(), expected);
    }
    // In another room's place, or in none, no release wrote it.
    let value = with(&json!({ "type": "poll" }));
    let home = decoder(6).partitioner().of(&RoomId::lobby());
    for key in [None, Some(&b"No Room"[..]), Some(b"\xff")] {
        assert!(matches!(decoder(6).decode(key, Some(&value), home), Err(DecodeError::Key)));
    }
    let elsewhere = decoder(6).partitioner().all().find(|partition| *partition != home).unwrap();
    let misplaced = decoder(6).decode(Some(b"lobby"), Some(&value), elsewhere);
    assert!(matches!(misplaced, Err(DecodeError::Misplaced(partition)) if partition == home));
}

#[test]
fn what_no_release_wrote_is_refused_without_quoting_it() {
    let home = decoder(6).partitioner().of(&RoomId::lobby());
    let good = encode(&envelope());
    let decode = |key, value, partition| decoder(6).decode(key, value, partition);
    assert!(matches!(decode(Some(b"lobby"), None, home), Err(DecodeError::Empty)));
    assert!(matches!(decode(None, Some(&good), home), Err(DecodeError::Key)));
    assert!(matches!(decode(Some(b"attic"), Some(&good), home), Err(DecodeError::Key)));
    let elsewhere = decoder(6).partitioner().all().find(|partition| *partition != home).unwrap();
    let misplaced = decode(Some(b"lobby"), Some(&good), elsewhere);
    assert!(matches!(misplaced, Err(DecodeError::Misplaced(p)) if p == home));

    let list = br#"[1,"message","018bcfe5-687b-7707-8707-070707070707","lobby","u","private",
        "2023-11-14T22:13:20.123Z","private",null]"#;
    let refused = [
        b"private words".to_vec(),
        b"\"private\"".to_vec(),
        b"{}".to_vec(),
        br#"{"private":1}"#.to_vec(),
        br#"{"v":1,"private":2}"#.to_vec(),
        br#"{"type":"edit","private":2}"#.to_vec(),
        br#"{"v":"1","type":"edit"}"#.to_vec(),
        br#"{"v":-1,"type":"edit"}"#.to_vec(),
        br#"{"v":1.5,"type":"edit"}"#.to_vec(),
        br#"{"v":1,"v":2,"type":"edit"}"#.to_vec(),
        br#"{"v":1,"type":"edit","critical":"private"}"#.to_vec(),
        br#"{"v":1,"type":["edit"]}"#.to_vec(),
        br#"[1,"edit",true]"#.to_vec(),
        list.to_vec(),
        with(&json!({ "type": "" })),
        with(&json!({ "type": "private words" })),
        with(&json!({ "type": "x".repeat(65) })),
        with(&json!({ "content": { "private": 1 } })),
        with(&json!({ "content": "" })),
        with(&json!({ "room_id": "Private" })),
    ];
    for bytes in refused {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let error = read(&bytes).expect_err(&text);
        assert!(!format!("{error} {error:?}").contains("private"), "{error}");
    }
    let large = with(&json!({ "added": "x".repeat(VALUE_MAX) }));
    assert!(matches!(read(&large), Err(DecodeError::TooLarge(bytes)) if bytes == large.len()));
}

/// A record of a kind, with these fields more.
fn done(kind: &str, more: &serde_json::Value) -> Vec<u8> {
    let mut all = json!({
        "type": kind, "ref": "018bcfe5-687b-7707-8707-070707070707", "ref_pos": 17,
    });
    for (field, value) in more.as_object().unwrap() {
        all[field] = value.clone();
    }
    with(&all)
}

#[test]
fn what_was_done_to_a_message_survives_the_log() {
    for (kind, more) in [
        ("edit", json!({ "content": "other" })),
        ("delete", json!({})),
        ("react", json!({ "emoji": "👍🏽", "on": true })),
        ("react", json!({ "emoji": "👍🏽", "on": false, "added": [1] })),
        ("pin", json!({ "on": true })),
    ] {
        let bytes = done(kind, &more);
        let Ok(Decoded::Known(envelope)) = read(&bytes) else { panic!("{kind} {more}") };
        let again = encode(&envelope);
        assert_eq!(read(&again).unwrap(), Decoded::Known(envelope.clone()));
        let written: serde_json::Value = serde_json::from_slice(&again).unwrap();
        let given: serde_json::Value = serde_json::from_slice(&bytes).unwrap();
        assert_eq!(written["type"], kind);
        for (field, value) in written.as_object().unwrap() {
            assert_eq!(value, &given[field], "{field} of {kind}");
        }
        assert_eq!(written.get("content").is_some(), kind == "edit");
        assert!(written.get("added").is_none());
    }
    let answer = with(&json!({ "reply_to": "018bcfe5-687b-7707-8707-070707070707" }));
    let Ok(Decoded::Known(envelope)) = read(&answer) else { panic!("a message that answers") };
    let written: serde_json::Value = serde_json::from_slice(&encode(&envelope)).unwrap();
    assert_eq!(written["reply_to"], "018bcfe5-687b-7707-8707-070707070707");
}

#[test]
fn a_change_that_lacks_something_or_has_what_it_cannot_have_is_refused_without_quoting_it() {
    let emoji = json!({ "emoji": "👍", "on": true });
    let with = |base: &serde_json::Value, field: &str, value: serde_json::Value| {
        let mut changed = base.clone();
        changed[field] = value;
        changed
    };
    let refused = [
        ("edit", json!({ "content": null })),
        ("edit", json!({ "content": "" })),
        ("edit", json!({ "content": { "private": 1 } })),
        ("edit", json!({ "content": "x".repeat(16 * 1024 + 1) })),
        ("delete", json!({ "ref": "private" })),
        ("delete", json!({ "ref": null })),
        ("delete", json!({ "ref_pos": null })),
        ("delete", json!({ "ref_pos": -1 })),
        ("delete", json!({ "ref_pos": 1.5 })),
        ("delete", json!({ "ref_pos": "17" })),
        ("delete", json!({ "ref_pos": 18_446_744_073_709_551_615_u64 })),
        ("delete", json!({ "timestamp": "private" })),
        ("react", json!({ "on": true })),
        ("react", json!({ "emoji": "👍" })),
        ("react", with(&emoji, "emoji", json!("private"))),
        ("react", with(&emoji, "emoji", json!("👍👍"))),
        ("react", with(&emoji, "on", json!("private"))),
        ("pin", json!({})),
        ("pin", json!({ "on": 1 })),
        ("message", json!({ "reply_to": "private" })),
    ];
    for (kind, more) in refused {
        let error = read(&done(kind, &more)).expect_err(&format!("{kind} {more}"));
        assert!(matches!(error, DecodeError::Envelope { .. }), "{kind} {more}: {error}");
        assert!(!format!("{error} {error:?}").contains("private"), "{error}");
    }
}

#[test]
fn a_moment_that_the_archive_would_change_is_refused() {
    for kept in
        ["2023-11-14T22:13:20Z", "2023-11-14T22:13:20.100Z", "2023-11-14T23:13:20.1230000+01:00"]
    {
        assert!(read(&with(&json!({ "timestamp": kept }))).is_ok(), "{kept}");
    }
    for changed in [
        "2023-11-14T22:13:20.1234Z",
        "2023-11-14T22:13:20.000000001Z",
        "2016-12-31T23:59:60Z",
        "2016-12-31T23:59:60.500Z",
        "+12023-11-14T22:13:20Z",
        "-0001-11-14T22:13:20Z",
    ] {
        assert!(read(&with(&json!({ "timestamp": changed }))).is_err(), "{changed}");
    }
}
