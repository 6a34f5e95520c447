use std::collections::HashSet;

use super::*;

fn key(text: &str) -> IdempotencyKey {
    IdempotencyKey::parse(text).unwrap()
}

#[test]
fn keys_are_short_and_visible() {
    for valid in ["a", "~", "!", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", &"k".repeat(255)] {
        assert!(IdempotencyKey::parse(valid).is_ok(), "{valid}");
    }
    for invalid in ["", " ", "a b", "a\t", "a\u{7f}", "ü", &"k".repeat(256)] {
        assert!(IdempotencyKey::parse(invalid).is_err(), "{invalid:?}");
    }
}

#[test]
fn every_part_of_what_is_done_makes_another_id_and_the_same_parts_the_same() {
    let id = |subject: &str, room: &str, operation, target, text: &str| {
        let subject = UserId::parse(subject).unwrap();
        MessageId::of_key(&subject, &RoomId::parse(room).unwrap(), operation, target, &key(text))
    };
    let ids = [
        id("ada", "lobby", "send", "", "1"),
        id("bob", "lobby", "send", "", "1"),
        id("ada", "cellar", "send", "", "1"),
        id("ada", "lobby", "edit", "", "1"),
        id("ada", "lobby", "send", "x", "1"),
        id("ada", "lobby", "send", "", "2"),
        // The same characters, cut elsewhere.
        id("adal", "obby", "send", "", "1"),
        id("ada", "lobby", "sen", "d", "1"),
    ];
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    assert_eq!(ids[0], id("ada", "lobby", "send", "", "1"));
    assert_eq!(MessageId::parse(&ids[0].to_string()), Ok(ids[0]));
}

#[test]
fn a_room_that_is_made_with_a_key_is_the_same_at_every_attempt_and_nobody_elses() {
    let id =
        |subject: &str, text: &str| RoomId::of_key(&UserId::parse(subject).unwrap(), &key(text));
    let ids = [id("ada", "1"), id("bob", "1"), id("ada", "2"), id("ada1", "1"), id("ad", "a1")];
    assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
    assert_eq!(ids[0], id("ada", "1"));
    assert_eq!(Uuid::parse_str(ids[0].as_str()).unwrap().get_version_num(), 5);
}

#[test]
fn a_hash_is_the_first_half_of_the_sha_256_and_survives_its_text() {
    let hash = BodyHash::of(&Content::parse("abc").unwrap(), None);
    // FIPS 180-2, appendix B.1.
    assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223");
    assert_eq!(BodyHash::parse(&hash.to_string()), Ok(hash));
    let low = "00000000000000000000000000000001";
    assert_eq!(BodyHash::parse(low).unwrap().to_string(), low);
    for text in ["", "1", "BA7816BF8F01CFEA414140DE5DAE2223", &"0".repeat(33), &"+".repeat(32)] {
        assert!(BodyHash::parse(text).is_err(), "{text:?}");
    }
}
