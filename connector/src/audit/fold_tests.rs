use std::net::Ipv4Addr;

use super::*;

const START: DateTime<Utc> = DateTime::UNIX_EPOCH;

fn key(number: u32) -> FoldKey {
    let mut guard_key = [0_u8; 32];
    guard_key[..4].copy_from_slice(&number.to_be_bytes());
    FoldKey { guard_key: guard_key.into(), network: None }
}

/// Notes `lines` lines and says how many of them are to be written.
fn note(fold: &AuditFold, key: FoldKey, lines: usize, now: DateTime<Utc>) -> usize {
    (0..lines).filter(|_| fold.note(key, now) == Note::Write).count()
}

#[test]
fn twenty_lines_are_written_and_the_others_counted_as_one() {
    let fold = AuditFold::new();
    let end = START + WINDOW;
    assert_eq!(note(&fold, key(1), 20, START), 20);
    assert_eq!(fold.note(key(1), START), Note::Fold, "the twenty-first");
    assert_eq!(note(&fold, key(1), 99, end - TimeDelta::milliseconds(1)), 0);
    assert_eq!(fold.drain(end - TimeDelta::milliseconds(1)), [], "the hour is not over");
    assert_eq!(fold.drain(end), [(key(1), 100)]);
    assert_eq!(fold.drain(end), [], "each count is given once");
}

#[test]
fn twenty_lines_and_no_more_leave_no_count() {
    let fold = AuditFold::new();
    assert_eq!(note(&fold, key(1), 20, START), 20);
    assert_eq!(fold.drain(START + WINDOW), []);
    assert_eq!(fold.lock().open.len(), 0, "nor a window");
}

#[test]
fn after_the_hour_lines_are_written_again_and_the_old_count_is_kept_for_the_drain() {
    let fold = AuditFold::new();
    let next = START + WINDOW;
    assert_eq!(note(&fold, key(1), 25, START), 20);
    assert_eq!(note(&fold, key(1), 22, next), 20);
    assert_eq!(fold.drain(next), [(key(1), 5)]);
    assert_eq!(fold.drain(next + WINDOW), [(key(1), 2)]);
}

#[test]
fn names_and_networks_are_counted_each_for_itself() {
    let fold = AuditFold::new();
    let elsewhere = FoldKey { network: Some(Network::of(Ipv4Addr::LOCALHOST.into())), ..key(1) };
    for key in [key(1), key(2), elsewhere] {
        assert_eq!(note(&fold, key, 21, START), 20);
    }
    let drained = fold.drain(START + WINDOW);
    assert_eq!(drained.len(), 3);
    assert!([key(1), key(2), elsewhere].iter().all(|key| drained.contains(&(*key, 1))));
}

#[test]
fn a_window_that_makes_room_for_another_loses_nothing() {
    let fold = AuditFold::new();
    let most = u32::try_from(MOST_WINDOWS.get()).unwrap();
    assert_eq!(note(&fold, key(0), 23, START), 20);
    assert_eq!(note(&fold, key(1), 1, START), 1);
    assert!((2..=most + 1).all(|number| fold.note(key(number), START) == Note::Write));
    assert_eq!(fold.lock().open.len(), MOST_WINDOWS.get());
    assert_eq!(fold.drain(START), [(key(0), 3)], "the first was pushed out, with its count");
}

#[test]
fn a_stop_ends_every_window() {
    let fold = AuditFold::new();
    assert_eq!(note(&fold, key(1), 21, START), 20);
    assert_eq!(fold.drain(DateTime::<Utc>::MAX_UTC), [(key(1), 1)]);
}
