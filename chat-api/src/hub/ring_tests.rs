use chrono::DateTime;

use super::*;
use crate::hub::Meta;
use crate::message::{Ended, Kind, MessageId, UserId};

fn at(raw: i64) -> Position {
    Position::from_raw(raw).unwrap()
}

fn room(name: &str) -> RoomId {
    RoomId::parse(name).unwrap()
}

/// An event whose frame has `bytes` bytes.
fn event(raw: i64, name: &str, bytes: usize) -> Arc<Entry> {
    let meta = Meta {
        id: MessageId::new(DateTime::UNIX_EPOCH, [0; 10]),
        kind: Kind::Message,
        target: None,
        ends: None,
    };
    Arc::new(Entry::new(at(raw), room(name), meta, "x".repeat(bytes).into()))
}

/// An event that ends somebody's subscription.
fn end(raw: i64, name: &str) -> Arc<Entry> {
    let ends = UserId::parse("u").ok().map(Ended::Person);
    let meta = Meta { ends, ..event(raw, name, 1).meta.clone() };
    Arc::new(Entry::new(at(raw), room(name), meta, "x".into()))
}

fn raws(page: &Page) -> Vec<i64> {
    page.entries.iter().map(|entry| entry.position.raw()).collect()
}

#[test]
fn a_reader_at_any_place_gets_exactly_the_rooms_events_from_there_on() {
    let mut ring = Ring::new(at(0), usize::MAX);
    // Every third position belongs to room a; positions 10..20 are not in the log.
    let positions: Vec<i64> = (0..10).chain(20..50).collect();
    for raw in &positions {
        let name = if raw % 3 == 0 { "a" } else { "b" };
        ring.push(event(*raw, name, 1));
    }
    for start in 0..52 {
        for limit in [1, 2, 100] {
            // A byte short of one more.
            let budget = (limit + 1) * Entry::bytes_of(1) - 1;
            let (mut next, mut seen) = (at(start), Vec::new());
            loop {
                let page = ring.read(&room("a"), next, budget).unwrap();
                assert!(page.next >= next, "next never falls");
                assert!(page.entries.len() <= limit);
                next = page.next;
                if page.entries.is_empty() {
                    break;
                }
                seen.extend(raws(&page));
            }
            let expected: Vec<i64> =
                positions.iter().copied().filter(|raw| raw % 3 == 0 && *raw >= start).collect();
            assert_eq!(seen, expected, "from {start}, {limit} at a time");
        }
    }
}

#[test]
fn the_floor_rises_with_what_is_let_go_and_is_never_read_across() {
    let limit = 10 * Entry::bytes_of(100);
    let mut ring = Ring::new(at(0), limit);
    for raw in 0..1_000 {
        ring.push(event(raw, "a", 100));
        assert!(ring.bytes <= limit);
    }
    assert_eq!(ring.read(&room("a"), at(989), 100), Err(at(990)));
    let page = ring.read(&room("a"), at(990), limit).unwrap();
    assert_eq!(raws(&page), (990..1_000).collect::<Vec<_>>());
    assert_eq!((page.bytes, page.next, page.head), (limit, at(1_000), at(1_000)));
    assert_eq!(ring.rooms[&room("a")].len(), 10, "the index shrinks with the ring");
}

#[test]
fn an_event_larger_than_the_ring_goes_straight_below_the_floor() {
    let mut ring = Ring::new(at(5), 10);
    ring.push(event(5, "a", 100));
    assert_eq!(ring.read(&room("a"), at(5), 1), Err(at(6)));
    let page = ring.read(&room("a"), at(6), 1).unwrap();
    assert_eq!((raws(&page), page.next), (vec![], at(6)));
    assert!(ring.rooms.is_empty());
}

#[test]
fn what_is_passed_moves_the_head_and_leaves_no_event() {
    let mut ring = Ring::new(at(3), usize::MAX);
    ring.skip(at(1));
    assert_eq!(ring.head(), at(3), "below the ring's beginning there is nothing to pass");
    ring.skip(at(3));
    ring.push(event(4, "a", 1));
    let page = ring.read(&room("a"), at(3), 1).unwrap();
    assert_eq!((raws(&page), page.next), (vec![4], at(5)));
}

#[test]
fn a_place_that_was_read_changes_nothing() {
    let mut ring = Ring::new(at(0), usize::MAX);
    let (first, again) = (event(0, "a", 1), event(0, "a", 7));
    ring.push(Arc::clone(&first));
    ring.push(again);
    assert_eq!(ring.read(&room("a"), at(0), 9).unwrap().entries, [first]);
    assert_eq!(ring.last(&room("a")), Some(at(0)));
    assert_eq!(ring.last(&room("b")), None);
}

#[test]
fn an_event_is_replaced_in_its_place_and_what_was_read_before_stays() {
    let limit = 3 * Entry::bytes_of(100);
    let mut ring = Ring::new(at(0), limit);
    for raw in 0..3 {
        ring.push(event(raw, "a", 100));
    }
    let before = ring.read(&room("a"), at(0), limit).unwrap();
    let blank = event(1, "a", 10);
    assert!(ring.replace(Arc::clone(&blank)));
    assert_eq!(before.entries[1], event(1, "a", 100), "nothing is changed in place");
    let after = ring.read(&room("a"), at(0), limit).unwrap();
    assert_eq!(raws(&after), [0, 1, 2]);
    assert!(Arc::ptr_eq(&after.entries[1], &blank));
    assert_eq!((after.bytes, ring.bytes), (limit - 90, limit - 90));

    assert!(!ring.replace(event(1, "b", 10)), "another room's");
    assert!(!ring.replace(event(3, "a", 10)), "not there yet");
    assert!(ring.replace(event(2, "a", 200)), "a larger one is paid for by the oldest");
    assert!(ring.bytes <= limit);
    assert_eq!(ring.read(&room("a"), at(0), 1), Err(at(1)));
    assert!(!ring.replace(event(0, "a", 10)), "not there any more");
}

#[test]
fn a_page_ends_behind_an_event_that_ends_a_subscription() {
    let mut ring = Ring::new(at(0), usize::MAX);
    let said = [event(0, "a", 1), end(1, "a"), event(2, "b", 1), end(3, "b")];
    said.into_iter().chain([event(4, "a", 1), end(5, "a")]).for_each(|entry| ring.push(entry));
    for (from, expected, next) in [(0, vec![0, 1], 2), (2, vec![4, 5], 6), (1, vec![1], 2)] {
        let page = ring.read(&room("a"), at(from), usize::MAX).unwrap();
        assert_eq!((raws(&page), page.next, page.head), (expected, at(next), at(6)), "{from}");
    }
}
