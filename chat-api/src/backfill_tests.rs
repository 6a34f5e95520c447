use chrono::DateTime;

use super::*;
use crate::hub::Meta;
use crate::message::{Ended, Kind, MessageId, UserId};

fn at(raw: i64) -> Position {
    Position::from_raw(raw).unwrap()
}

/// An event at that place, with so many bytes.
fn event(raw: i64, bytes: usize, ends: bool) -> Arc<Entry> {
    let id = MessageId::new(DateTime::UNIX_EPOCH, [0; 10]);
    let ends = ends.then(|| Ended::Person(UserId::parse("u").unwrap()));
    let meta = Meta { id, kind: Kind::Message, target: None, ends };
    Arc::new(Entry::new(at(raw), RoomId::lobby(), meta, vec![b'x'; bytes].into()))
}

/// From where to where each piece goes, and how many events it has.
fn pieces(page: &OldPage) -> Vec<(i64, i64, u64)> {
    page.pieces.iter().map(|piece| (piece.from.raw(), piece.next.raw(), piece.count)).collect()
}

#[test]
fn a_page_goes_onto_a_line_in_pieces_that_follow_each_other() {
    let half = PIECE / 2;
    let entries: Vec<_> = [(1, half), (2, half), (3, 1), (5, PIECE), (6, PIECE + 1), (7, 1)]
        .map(|(raw, bytes)| event(raw, bytes, false))
        .into();
    let page = OldPage::new(at(0), &entries, at(9));
    assert_eq!(pieces(&page), [(0, 3, 2), (3, 4, 1), (4, 6, 1), (6, 7, 1), (7, 9, 1)]);
    assert_eq!(page.next(), at(9));
    let bytes: usize = page.pieces.iter().map(|piece| piece.bytes.len()).sum();
    assert_eq!(bytes, 2 * half + 1 + PIECE + PIECE + 1 + 1, "all of it is in some piece");
}

#[test]
fn a_page_without_events_takes_a_reader_on_as_far_as_the_archive_is() {
    assert_eq!(pieces(&OldPage::new(at(3), &[], at(8))), [(3, 8, 0)]);
}

#[test]
fn nothing_lies_behind_an_event_that_ends_a_subscription_in_its_piece() {
    let entries = [event(1, 1, false), event(2, 1, true), event(3, 1, false), event(4, 1, true)];
    let page = OldPage::new(at(1), &entries, at(5));
    assert_eq!(pieces(&page), [(1, 3, 2), (3, 5, 2)]);
    assert!(page.pieces.iter().all(|piece| piece.ends.is_some()));
}
