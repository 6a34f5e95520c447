//! The judge on doctored evidence: each fault is found, and nothing else.

use super::*;
use crate::chat::place::Place;

fn id(number: i64) -> Uuid {
    Uuid::from_u128(u128::from(number.unsigned_abs()))
}

fn at(position: i64, number: i64) -> Heard {
    Heard { position, id: id(number) }
}

fn acked(number: i64, position: i64) -> Acked {
    Acked { id: id(number), place: Some(Place { partition: 2, position }) }
}

fn client(name: &str, start: i64, heard: Vec<Heard>) -> ClientHeard {
    ClientHeard { name: name.into(), start, end: None, heard }
}

/// Five messages, of which the third is twice in the log; one client that heard all, and one that came later.
fn sound() -> Evidence {
    let log = vec![at(10, 1), at(11, 2), at(13, 3), at(14, 4), at(15, 3), at(17, 5)];
    let first = [at(10, 1), at(11, 2), at(13, 3), at(14, 4), at(17, 5)];
    Evidence {
        archive: first.iter().map(|entry| (entry.id, entry.position)).collect(),
        acked: vec![acked(1, 10), acked(3, 13), acked(3, 15), acked(5, 17)],
        clients: vec![client("early", 9, first.to_vec()), client("late", 13, first[3..].to_vec())],
        since: 9,
        dead: [id(99)].into(),
        log,
    }
}

/// The verdict on evidence that was sound before.
fn doctored<T>(change: impl FnOnce(&mut Evidence) -> T) -> Verdict {
    let mut evidence = sound();
    change(&mut evidence);
    judge(&evidence)
}

fn assert_found(verdict: &Verdict, finding: &str) {
    assert_eq!(verdict.findings.len(), 1, "{verdict:?}");
    assert!(verdict.findings[0].contains(finding), "{verdict:?}");
}

#[test]
fn sound_evidence_passes_and_a_copy_in_the_log_is_no_fault() {
    assert_eq!(judge(&sound()), Verdict { copies: 1, ..Verdict::default() });
}

#[test]
fn a_gap_is_found() {
    let verdict = doctored(|evidence| evidence.clients[0].heard.remove(2));
    assert_found(&verdict, "1 missing at early");
    assert_eq!((verdict.gaps, verdict.lost), (1, 0));
}

#[test]
fn a_missing_tail_is_a_gap() {
    let verdict = doctored(|evidence| evidence.clients[1].heard.pop());
    assert_found(&verdict, "1 missing at late");
}

#[test]
fn a_swap_is_found_even_when_each_message_has_its_place() {
    let verdict = doctored(|evidence| evidence.clients[0].heard.swap(1, 2));
    assert_found(&verdict, "out of the log's order at early");
    assert_eq!((verdict.misplaced, verdict.gaps), (1, 0));
}

#[test]
fn a_swap_of_messages_between_places_is_found() {
    let verdict = doctored(|evidence| {
        evidence.clients[0].heard[1].id = id(3);
        evidence.clients[0].heard[2].id = id(2);
    });
    assert_found(&verdict, "out of the log's order at early");
    assert_eq!(verdict.misplaced, 2);
}

#[test]
fn a_double_is_found() {
    let verdict = doctored(|evidence| evidence.clients[0].heard.insert(2, at(11, 2)));
    assert_eq!((verdict.doubled, verdict.gaps), (1, 0));
    assert!(verdict.findings[0].contains("taken twice by early"), "{verdict:?}");
}

#[test]
fn a_copy_that_a_client_took_for_a_message_is_found() {
    let verdict = doctored(|evidence| evidence.clients[0].heard.insert(4, at(15, 3)));
    assert_eq!(verdict.doubled, 1, "{verdict:?}");
}

#[test]
fn a_lost_acknowledged_message_is_found() {
    let verdict = doctored(|evidence| evidence.acked.push(acked(6, 18)));
    assert_found(&verdict, "1 acknowledged and not in the log");
    assert_eq!(verdict.lost, 1);
}

#[test]
fn a_message_that_nobody_acknowledged_must_be_archived_and_heard_too() {
    let verdict = doctored(|evidence| evidence.log.push(at(18, 6)));
    assert_eq!((verdict.lost, verdict.gaps), (1, 2), "{verdict:?}");
}

#[test]
fn a_cursor_of_another_place_is_found() {
    let verdict = doctored(|evidence| evidence.acked.push(acked(5, 14)));
    assert_found(&verdict, "acknowledged with a cursor where something else stands");
}

#[test]
fn what_is_archived_wrongly_is_found() {
    let verdict = doctored(|evidence| evidence.archive.remove(&id(2)));
    assert_found(&verdict, "1 in the log and not in the archive");
    assert_eq!(verdict.lost, 1);
    let verdict = doctored(|evidence| evidence.archive.insert(id(3), 15));
    assert_found(&verdict, "archived at another place");
    let verdict = doctored(|evidence| evidence.archive.insert(id(7), 12));
    assert_found(&verdict, "in the archive and not in the log");
}

#[test]
fn an_acknowledged_message_in_the_dead_letter_queue_is_found() {
    let verdict = doctored(|evidence| evidence.dead.insert(id(1)));
    assert_found(&verdict, "in the dead letter queue");
}

#[test]
fn a_message_from_nowhere_is_found() {
    let verdict = doctored(|evidence| evidence.clients[1].heard.push(at(18, 8)));
    assert_found(&verdict, "heard by late and not to be heard");
    assert_eq!(verdict.overheard, 1);
}

#[test]
fn whoever_was_removed_has_to_hear_everything_until_then_and_nothing_after_it() {
    let ended = |heard: &[Heard]| {
        let heard = heard.to_vec();
        doctored(|evidence| {
            evidence.clients.push(ClientHeard { end: Some(13), ..client("gone", 9, heard) });
        })
    };
    let all = [at(10, 1), at(11, 2), at(13, 3), at(14, 4)];
    assert_eq!(ended(&all[..3]).findings, Vec::<String>::new());
    let verdict = ended(&all);
    assert_found(&verdict, "1 heard by gone and not to be heard");
    assert_eq!((verdict.overheard, verdict.gaps), (1, 0));
    let verdict = ended(&all[..2]);
    assert_found(&verdict, "1 missing at gone");
    assert_eq!((verdict.overheard, verdict.gaps), (0, 1));
}

#[test]
fn a_copy_beyond_the_window_is_heard_by_those_who_do_not_know_the_message() {
    let far = 14 + WINDOW + 1;
    let evidence = Evidence {
        log: vec![at(14, 4), at(20, 5), at(far, 4)],
        archive: [(id(4), 14), (id(5), 20)].into(),
        since: 9,
        clients: vec![
            client("early", 9, vec![at(14, 4), at(20, 5)]),
            client("late", 14, vec![at(20, 5), at(far, 4)]),
        ],
        ..Evidence::default()
    };
    assert_eq!(judge(&evidence).findings, Vec::<String>::new());
    // At the window's edge nobody hears it.
    let mut evidence = evidence;
    evidence.log[2].position -= 1;
    assert_eq!(judge(&evidence).gaps, 0);
    assert_eq!(judge(&evidence).findings.len(), 1);
}
