use serde_json::{Value, json};

use super::*;

fn marker() -> Marker {
    Marker {
        room_id: RoomId::parse("attic").unwrap(),
        user_id: UserId::parse("a|b/c d").unwrap(),
        position: Position::from_raw(7).unwrap(),
    }
}

fn record() -> Value {
    let new = NewMarker {
        message_id: MessageId::new(DateTime::UNIX_EPOCH, [0; 10]),
        timestamp: DateTime::UNIX_EPOCH,
        marker: marker(),
    };
    serde_json::from_slice(&new.encode()).unwrap()
}

fn decode(value: &Value) -> Result<DecodedMarker, MarkerError> {
    Marker::decode(Some(marker().key().as_bytes()), Some(value.to_string().as_bytes()))
}

#[test]
fn a_marker_is_read_as_it_was_written_and_with_what_a_later_release_adds() {
    let mut value = record();
    assert_eq!(decode(&value), Ok(DecodedMarker::Known(marker())));
    value["device"] = json!("phone");
    assert_eq!(decode(&value), Ok(DecodedMarker::Known(marker())));
}

#[test]
fn what_a_later_release_writes_in_another_form_is_no_fault() {
    for (field, later) in [("v", json!(2)), ("type", json!("draft"))] {
        let mut value = record();
        value[field] = later;
        value["pos"] = json!({ "of": "a later form" });
        assert_eq!(decode(&value), Ok(DecodedMarker::Newer), "{field}");
    }
}

#[test]
fn what_is_no_marker_of_its_key_is_refused() {
    for (field, wrong) in [("pos", json!(-2)), ("room_id", json!("ATTIC")), ("user_id", json!(""))]
    {
        let mut value = record();
        value[field] = wrong;
        assert_eq!(decode(&value), Err(MarkerError::Value), "{field}");
    }
    let bytes = record().to_string();
    let bytes = Some(bytes.as_bytes());
    assert_eq!(Marker::decode(Some(b"a|attic"), bytes), Err(MarkerError::Key));
    assert_eq!(Marker::decode(None, bytes), Err(MarkerError::Key));
    assert_eq!(Marker::decode(None, None), Err(MarkerError::Empty));
    assert_eq!(Marker::decode(None, Some(b"[]")), Err(MarkerError::Value));
}
