use std::collections::HashSet;

use super::*;

fn id(number: u8) -> MessageId {
    MessageId::new(chrono::DateTime::UNIX_EPOCH, [number; 10])
}

fn at(raw: i64) -> Recalled {
    Recalled { position: Position::from_raw(raw).unwrap(), body_hash: None }
}

/// The rule as it is written, on the whole log.
fn is_first(log: &[(i64, u8)], index: usize, span: i64) -> bool {
    let (offset, id) = log[index];
    !log[..index].iter().any(|(earlier, other)| *other == id && *earlier >= offset - span)
}

#[test]
fn the_decision_is_that_of_the_rule_wherever_reading_began_a_span_before() {
    const SPAN: i64 = 4;
    // Every log of seven records with three ids, in offsets with a hole.
    let offsets = [0, 1, 2, 3, 5, 6, 9];
    for code in 0..3_u32.pow(7) {
        let ids = (0..7).map(|place| u8::try_from(code / 3_u32.pow(place) % 3).unwrap());
        let log: Vec<(i64, u8)> = offsets.into_iter().zip(ids).collect();
        for begin in 0..log.len() {
            let mut window = Window::new(SPAN);
            for (index, (offset, number)) in log.iter().enumerate().skip(begin) {
                let first = window.note(at(*offset), id(*number));
                if *offset >= log[begin].0 + SPAN || begin == 0 {
                    assert_eq!(first, is_first(&log, index, SPAN), "{log:?} from {begin}");
                }
            }
        }
    }
}

#[test]
fn a_window_holds_its_span_and_no_more() {
    let mut window = Window::new(100);
    for raw in 0..10_000_u32 {
        let mut bytes = [0; 10];
        bytes[..4].copy_from_slice(&raw.to_be_bytes());
        window.note(at(raw.into()), MessageId::new(chrono::DateTime::UNIX_EPOCH, bytes));
    }
    assert_eq!(window.order.len(), 101);
    assert_eq!(window.seen.len(), 101);
    assert_eq!(window.seen.keys().collect::<HashSet<_>>().len(), 101);
}

#[test]
fn the_first_record_of_an_id_is_the_one_that_is_recalled() {
    let mut window = Window::new(10);
    assert!(window.note(at(0), id(1)));
    assert!(!window.note(at(9), id(1)));
    assert!(!window.note(at(18), id(1)), "a dropped repeat counts too");
    assert_eq!(window.recall(id(1)), Some(at(0)));
    assert_eq!(window.recall(id(2)), None);
    assert!(!window.note(at(18), id(2)), "a place that was read changes nothing");
    window.note(at(29), id(2));
    assert_eq!(window.recall(id(1)), None);
}
