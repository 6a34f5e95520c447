use super::*;

#[test]
fn a_cursor_survives_the_round_trip_at_every_magnitude() {
    for partition in [0, 1, 47, 65_536, i32::MAX] {
        for exponent in 0..63 {
            for position in [-1, (1i64 << exponent) - 1, 1 << exponent] {
                let cursor = Cursor {
                    partition: Partition::from_number(partition).unwrap(),
                    position: Position::from_raw(position).unwrap(),
                };
                let text = cursor.to_string();
                assert_eq!(text.len(), 16);
                assert_eq!(Cursor::parse(&text), Ok(cursor), "{text}");
            }
        }
    }
}

#[test]
fn forged_cursors_are_refused() {
    let negative_partition = URL_SAFE_NO_PAD.encode([255; CURSOR_BYTES]);
    let mut bytes = [0; CURSOR_BYTES];
    bytes[4..].copy_from_slice(&(-2i64).to_be_bytes());
    let negative_position = URL_SAFE_NO_PAD.encode(bytes);
    let long = URL_SAFE_NO_PAD.encode([0; CURSOR_BYTES + 1]);
    for text in [
        "",
        "0",
        "AAAA",
        "!!!!!!!!!!!!!!!!",
        "AAAAAAAAAAAAAAAA=",
        &negative_partition,
        &negative_position,
        &long,
    ] {
        assert!(Cursor::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn a_later_generation_comes_after_every_offset_of_an_earlier_one() {
    let last = Position::new(0, (1 << OFFSET_BITS) - 1).unwrap();
    let first = Position::new(1, 0).unwrap();
    assert!(last < first);
    assert_eq!(last.next(), first);
    assert_eq!(first.offset(), 0);
    assert!(Position::new(0, 1 << OFFSET_BITS).is_err());
    assert!(Position::new(0, -1).is_err());
}
