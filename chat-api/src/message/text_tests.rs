use super::*;

#[test]
fn room_ids_are_short_and_plain() {
    for valid in ["lobby", "a", "0198c0de-0000-7000-8000-000000000000", &"x".repeat(64)] {
        assert!(RoomId::parse(valid).is_ok(), "{valid}");
    }
    for invalid in ["", "Lobby", "a b", "a/b", "ü", "a\n", &"x".repeat(65)] {
        assert!(RoomId::parse(invalid).is_err(), "{invalid:?}");
    }
}

#[test]
fn a_rooms_name_is_one_short_line_that_can_be_seen() {
    for valid in ["a", "Gardeners 🌱", " padded ", &"é".repeat(128)] {
        assert_eq!(RoomName::parse(valid).unwrap().as_str(), valid);
    }
    for invalid in ["", " ", "\u{200b}", "a\nb", "a\0", "a\u{85}", &"é".repeat(129)] {
        assert!(RoomName::parse(invalid).is_err(), "{invalid:?}");
    }
}

#[test]
fn content_is_checked_before_the_log_so_that_the_archive_can_take_it() {
    assert_eq!(Content::parse(" \n\t"), Err(ContentError::Empty));
    assert_eq!(Content::parse("a\0b"), Err(ContentError::Unstorable));
    assert!(Content::parse(&"x".repeat(Content::MAX_BYTES)).is_ok());
    assert_eq!(Content::parse(&"x".repeat(Content::MAX_BYTES + 1)), Err(ContentError::TooLarge));
    assert_eq!(Content::parse(" hé \u{1f600}").unwrap().as_str(), " hé \u{1f600}");
}

#[test]
fn what_nobody_would_see_is_not_said_and_what_was_said_stays_readable() {
    let invisible =
        ["\u{200b}", "\u{ad}\u{202e} \u{2060}", "\u{3164}", "\u{fe0f}\n", "\u{2800}", "\u{7}"];
    for text in invisible {
        assert_eq!(Content::to_be_said(text), Err(ContentError::Empty), "{text:?}");
        assert!(Content::parse(text).is_ok(), "{text:?}");
    }
    for text in [".", "\u{200b}a", "\u{1f469}\u{200d}\u{1f680}", "\u{61c}\u{645}"] {
        assert_eq!(Content::to_be_said(text).unwrap().as_str(), text);
    }
}

#[test]
fn a_person_without_a_usable_name_is_shown_by_id() {
    let id = UserId::parse("CgExEgVsb2NhbA").unwrap();
    assert_eq!(UserName::shown(Some("  Ada\u{7} "), &id).as_str(), "Ada");
    for claim in [None, Some(""), Some(" \n")] {
        assert_eq!(UserName::shown(claim, &id).as_str(), id.as_str());
    }
    let long = UserName::shown(Some(&"é".repeat(500)), &id);
    assert!(UserName::parse(long.as_str()).is_ok());
}
