use super::*;

const DOWN: KafkaError = KafkaError::Global(RDKafkaErrorCode::AllBrokersDown);

#[test]
fn a_client_is_reminded_once_and_after_the_last_time_that_it_lost_its_brokers() {
    let reminder = Reminder::new("here:9092,there:9092");
    let begin = Instant::now();
    assert!(!reminder.take(begin + AFTER));
    reminder.note(&DOWN, begin);
    reminder.note(&DOWN, begin + AFTER / 2);
    assert!(!reminder.take(begin + AFTER));
    assert!(reminder.take(begin + AFTER / 2 + AFTER));
    assert!(!reminder.take(begin + 100 * AFTER));
    reminder.note(&DOWN, begin + 100 * AFTER);
    assert!(reminder.take(begin + 101 * AFTER));
}

#[test]
fn a_client_that_loses_its_brokers_again_and_again_is_reminded_ever_less_often() {
    let reminder = Reminder::new("here:9092");
    let (begin, mut now) = (Instant::now(), Instant::now());
    let mut reminded = Vec::new();
    while now < begin + 10 * LONGEST_REST {
        reminder.note(&DOWN, now);
        now += AFTER;
        if reminder.take(now) {
            reminded.push(now);
        }
    }
    let rests: Vec<Duration> = reminded.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(rests.is_sorted() && rests.last() == Some(&LONGEST_REST), "{rests:?}");
    assert!(reminded.len() < 20, "{rests:?}");
    let later = now + 3 * LONGEST_REST;
    reminder.note(&DOWN, later);
    assert!(reminder.take(later + AFTER), "after a quiet time it begins anew");
}

#[test]
fn other_errors_are_no_reason() {
    let reminder = Reminder::new("here:9092");
    let begin = Instant::now();
    reminder.note(&KafkaError::Global(RDKafkaErrorCode::BrokerTransportFailure), begin);
    assert!(!reminder.take(begin + 100 * AFTER));
}

#[tokio::test]
async fn who_waits_is_told_and_a_wait_that_is_given_up_loses_nothing() {
    let reminder = Reminder::new("here:9092");
    let is_due = || {
        reminder.lock().at = Some(Instant::now());
        reminder.set.notify_one();
    };
    tokio::join!(reminder.due(), async { is_due() });
    is_due();
    drop(reminder.due());
    reminder.due().await;
}
