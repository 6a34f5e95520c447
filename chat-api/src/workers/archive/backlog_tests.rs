use chrono::DateTime;

use super::*;
use crate::archive::RefusedDocument;
use crate::message::{Author, Content, Draft, Envelope, RoomId, UserId, UserName};

fn partition(number: i32) -> Partition {
    Partition::from_number(number).unwrap()
}

fn at(raw: i64) -> Position {
    Position::from_raw(raw).unwrap()
}

fn event(number: i32, raw: i64) -> Event {
    let user_id = UserId::parse("u").unwrap();
    let author = Author { user_name: UserName::shown(None, &user_id), user_id };
    let content = Content::parse("hi").unwrap();
    let draft = Draft { room_id: RoomId::lobby(), content, reply_to: None, key: None };
    let now = DateTime::from_timestamp(1_700_000_000 + raw, 0).unwrap();
    let envelope = Envelope::compose(draft, &author, now, [1; 10]);
    Event { partition: partition(number), position: at(raw), envelope }
}

fn poison(number: i32, raw: i64) -> Raw {
    Raw::bare(partition(number), at(raw))
}

/// A backlog of partition 0, which is read from its start.
fn opened() -> Backlog {
    let mut backlog = Backlog::default();
    backlog.open(partition(0), Position::BEFORE_ALL, at(0));
    backlog
}

fn refused(index: usize) -> Stored {
    Stored { fresh: 0, refused: vec![RefusedDocument { index, reason: "no".to_owned() }] }
}

/// Takes the steps there are and stores them; says where partition 0 then stands.
fn advance(backlog: &mut Backlog) -> Option<i64> {
    let steps = backlog.steps();
    backlog.advanced(&steps);
    steps.iter().find(|step| step.step.partition == partition(0)).map(|s| s.step.to.raw())
}

#[tokio::test]
async fn progress_never_passes_a_record_that_is_not_settled() {
    const RECORDS: i64 = 6;
    let now = Instant::now();
    // Every way of sorting the records into events, refused ones and poison.
    for case in 0..3_i64.pow(6) * 2 {
        let kind = |raw: i64| case / 2 / 3_i64.pow(u32::try_from(raw).unwrap()) % 3;
        let mut backlog = opened();
        for raw in 0..RECORDS {
            match kind(raw) {
                2 => backlog.push_dead(poison(0, raw), "poison".to_owned()),
                _ => backlog.push(event(0, raw), Span::none(), now),
            }
        }
        let mut settled = vec![false; 6];
        let mut stored = Position::BEFORE_ALL.raw();
        let mut check = |backlog: &mut Backlog, settled: &[bool]| {
            let expected = settled.iter().take_while(|settled| **settled).count();
            stored = advance(backlog).unwrap_or(stored);
            assert_eq!(stored + 1, i64::try_from(expected).unwrap(), "case {case}: {settled:?}");
        };

        let (tickets, batch, _) = backlog.take();
        assert_eq!(tickets.len(), batch.len());
        check(&mut backlog, &settled);
        let refused = tickets.iter().enumerate();
        let refused = refused.filter(|(_, ticket)| kind(ticket.position.raw()) == 1);
        let refused = refused.map(|(index, _)| RefusedDocument { index, reason: "no".to_owned() });
        let answer = Stored { fresh: 0, refused: refused.collect() };
        backlog.written(&tickets, answer);
        for raw in (0..RECORDS).filter(|raw| kind(*raw) == 0) {
            settled[usize::try_from(raw).unwrap()] = true;
        }
        check(&mut backlog, &settled);

        // All at once, or each by itself after a failure.
        let limit = if case % 2 == 1 { usize::MAX } else { 1 };
        while let Some(batch) = backlog.unsent(|_| limit).pop() {
            assert!(backlog.unsent(|_| limit).is_empty(), "one batch after another");
            assert!(backlog.sent(&batch, 0));
            check(&mut backlog, &settled);
            let again = backlog.unsent(|_| limit).pop().unwrap();
            let positions =
                |batch: &LetterBatch| -> Vec<_> { batch.letters.iter().map(|l| l.0).collect() };
            assert_eq!(positions(&again), positions(&batch));
            assert!(again.letters.iter().all(|(_, letter)| letter.raw.is_none()));
            backlog.sent(&again, 1);
            settled[usize::try_from(again.letters[0].0.raw()).unwrap()] = true;
            check(&mut backlog, &settled);
        }
        assert!(settled.iter().all(|settled| *settled));
        assert_eq!((backlog.dead, backlog.dead_bytes), (0, 0));
        assert!(backlog.is_settled(partition(0)));
        assert_eq!(backlog.unstored(), 0);
    }
}

#[tokio::test]
async fn a_failed_batch_waits_again_in_its_order() {
    let now = Instant::now();
    let mut backlog = opened();
    for raw in 0..3 {
        backlog.push(event(0, raw), Span::none(), now);
    }
    let (first, ..) = backlog.take();
    backlog.push(event(0, 3), Span::none(), now);
    backlog.failed(&first, now);
    assert_eq!(backlog.unstored(), 4);
    let (again, ..) = backlog.take();
    assert_eq!(again[..3], first);
    assert_eq!(again[3].position, at(3));
}

#[tokio::test]
async fn what_is_under_way_for_an_earlier_share_changes_nothing() {
    let now = Instant::now();
    let mut backlog = opened();
    backlog.push(event(0, 0), Span::none(), now);
    backlog.push_dead(poison(0, 1), "poison".to_owned());
    let (tickets, ..) = backlog.take();
    let batches = backlog.unsent(|_| usize::MAX);
    // Gone, and back again from an older progress.
    backlog.open(partition(0), Position::BEFORE_ALL, at(0));
    backlog.push(event(0, 0), Span::none(), now);
    backlog.push(event(0, 1), Span::none(), now);
    backlog.written(&tickets, refused(0));
    assert!(!backlog.sent(&batches[0], 1));
    assert_eq!(advance(&mut backlog), None);
    assert!(backlog.unsent(|_| usize::MAX).is_empty());
    let (tickets, ..) = backlog.take();
    assert_eq!(tickets.len(), 2);
    let steps = backlog.steps();
    backlog.written(&tickets, Stored::default());
    assert!(steps.is_empty());
    assert_eq!(advance(&mut backlog), Some(1));
}

#[tokio::test]
async fn a_repeat_of_the_log_and_a_record_of_another_share_are_not_taken() {
    let now = Instant::now();
    let mut backlog = opened();
    backlog.push(event(0, 5), Span::none(), now);
    backlog.push(event(0, 5), Span::none(), now);
    backlog.push(event(0, 3), Span::none(), now);
    backlog.push(event(1, 9), Span::none(), now);
    backlog.push_dead(poison(1, 9), "poison".to_owned());
    assert_eq!(backlog.unstored(), 1);
    assert_eq!(backlog.next(partition(0)), Some(at(6)));
    assert!(backlog.unsent(|_| usize::MAX).is_empty());
    backlog.stop(partition(0), at(5));
    backlog.push(event(0, 6), Span::none(), now);
    assert!(backlog.is_settled(partition(0)) && backlog.unstored() == 0);
}

#[tokio::test]
async fn a_held_partition_keeps_its_dead_letters_and_others_send_theirs() {
    let mut backlog = opened();
    backlog.open(partition(1), Position::BEFORE_ALL, at(0));
    backlog.push_dead(poison(0, 0), "poison".to_owned());
    backlog.push_dead(poison(1, 0), "poison".to_owned());
    backlog.push_dead(poison(1, 1), "poison".to_owned());
    let batches = backlog.unsent(|of| usize::from(of == partition(1)));
    assert!(batches.len() == 1 && batches[0].partition == partition(1));
    assert!(batches[0].letters.len() == 1 && batches[0].letters[0].0 == at(0));
    assert!(backlog.sent(&batches[0], 1));
    assert_eq!(backlog.unsent(|of| usize::from(of == partition(1))).len(), 1);
    backlog.close(partition(0));
    assert!(backlog.unsent(|_| usize::MAX).is_empty());
}

#[tokio::test]
async fn a_batch_is_due_when_it_is_full_or_old() {
    let now = Instant::now();
    let mut backlog = opened();
    assert_eq!(backlog.due(), None);
    backlog.push(event(0, 0), Span::none(), now);
    assert_eq!(backlog.due(), Some(now + BATCH_AGE));
    for raw in 1..1_500 {
        backlog.push(event(0, raw), Span::none(), now + BATCH_AGE);
    }
    assert_eq!(backlog.due(), Some(now));
    assert_eq!(backlog.oldest(), Some(event(0, 0).envelope.timestamp));
    let (tickets, ..) = backlog.take();
    assert_eq!(tickets.len(), BATCH_RECORDS);
    assert_eq!(backlog.due(), Some(now + BATCH_AGE + BATCH_AGE));
    assert_eq!(backlog.unstored(), 1_500);
}
