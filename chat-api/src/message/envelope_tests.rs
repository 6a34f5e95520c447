use super::*;
use crate::message::IdempotencyKey;

fn author() -> Author {
    let user_id = UserId::parse("u").unwrap();
    Author { user_name: UserName::shown(Some("Ada"), &user_id), user_id }
}

fn draft(key: Option<IdempotencyKey>) -> Draft {
    let content = Content::parse("hi").unwrap();
    Draft { room_id: RoomId::lobby(), content, reply_to: None, key }
}

#[test]
fn with_a_key_neither_clock_nor_randomness_is_in_the_id() {
    let key = IdempotencyKey::parse("k").ok();
    let [first, second] = [(1_000, [1; 10]), (2_000, [2; 10])].map(|(seconds, randomness)| {
        let now = DateTime::from_timestamp(seconds, 0).unwrap();
        Envelope::compose(draft(key.clone()), &author(), now, randomness)
    });
    assert_eq!(first.message_id, second.message_id);
    assert_eq!(first.body_hash(), Some(BodyHash::of(&Content::parse("hi").unwrap(), None)));
    let json = serde_json::to_value(&first).unwrap();
    assert_eq!(json["body_hash"], first.body_hash().unwrap().to_string());
    let without = Envelope::compose(draft(None), &author(), DateTime::UNIX_EPOCH, [1; 10]);
    assert!(serde_json::to_value(without).unwrap().get("body_hash").is_none());
}

#[test]
fn the_id_and_the_timestamp_come_from_the_given_clock_and_randomness() {
    let now = DateTime::from_timestamp(1_700_000_000, 123_456_789).unwrap();
    let envelope = Envelope::compose(draft(None), &author(), now, [7; 10]);

    assert_eq!(envelope.timestamp.timestamp_nanos_opt(), Some(1_700_000_000_123_000_000));
    assert_eq!(envelope.message_id.to_string(), "018bcfe5-687b-7707-8707-070707070707");
    assert_eq!(MessageId::parse(&envelope.message_id.to_string()), Ok(envelope.message_id));
    let capitals = MessageId::parse("018BCFE5-687B-7707-8707-070707070707").unwrap();
    assert_eq!(capitals, envelope.message_id);
    for other in ["018bcfe5687b77078707070707070707", "{018bcfe5-687b-7707-8707-070707070707}"] {
        assert!(MessageId::parse(other).is_err(), "{other}");
    }
}
