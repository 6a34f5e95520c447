//! Records of typing

use super::*;
use crate::message::{UserId, UserName};

fn record() -> TypingRecord {
    let user_id = UserId::parse("ada").unwrap();
    let person = Person { user_id, user_name: UserName::parse("Ada").unwrap() };
    TypingRecord { room_id: RoomId::lobby(), person }
}

#[test]
fn a_record_is_read_as_it_was_written_and_its_form_stays() {
    let value = record().encode();
    assert_eq!(TypingRecord::decode(&value).unwrap(), Some(record()));
    let text = r#"{"v":1,"kind":"typing","room_id":"lobby","user_id":"ada","user_name":"Ada"}"#;
    assert_eq!(String::from_utf8(value).unwrap(), text);
}

#[test]
fn what_a_later_release_wrote_is_passed_over_and_rubbish_is_an_error() {
    let written = String::from_utf8(record().encode()).unwrap();
    let changed = |what: &str, to: &str| TypingRecord::decode(written.replace(what, to).as_bytes());
    assert_eq!(changed("\"v\":1", "\"v\":2").unwrap(), None);
    assert_eq!(changed("\"typing\"", "\"recording\"").unwrap(), None);
    assert_eq!(changed("\"Ada\"", "\"Ada\",\"later\":[1]").unwrap(), Some(record()));
    assert!(changed("lobby", "Lobby").is_err());
    assert!(changed("\"user_id\":\"ada\",", "").is_err());
    assert!(TypingRecord::decode(b"").is_err());
}
