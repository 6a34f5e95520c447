use super::*;

const ALL: [Persisted; 3] = [Persisted::No, Persisted::Possibly, Persisted::Yes];

fn report(code: RDKafkaErrorCode, persisted: Persisted) -> AppendError {
    AppendError::of_report(&KafkaError::MessageProduction(code), persisted)
}

#[test]
fn only_what_surely_is_not_in_the_log_is_called_so() {
    use RDKafkaErrorCode as Code;
    for code in [
        Code::MessageTimedOut,
        Code::BrokerTransportFailure,
        Code::NotEnoughReplicas,
        Code::MessageSizeTooLarge,
        Code::OutOfOrderSequenceNumber,
        Code::Fail,
    ] {
        for persisted in [Persisted::Possibly, Persisted::Yes] {
            assert_eq!(report(code, persisted), AppendError::Unknown(code));
        }
        assert_ne!(report(code, Persisted::No), AppendError::Unknown(code));
    }
}

#[test]
fn each_error_has_one_class() {
    use RDKafkaErrorCode as Code;
    let class = |code| report(code, Persisted::No).class();
    assert_eq!(class(Code::MessageSizeTooLarge), "refused");
    assert_eq!(class(Code::TopicAuthorizationFailed), "refused");
    assert_eq!(class(Code::NotEnoughReplicas), "not_sent");
    assert_eq!(class(Code::MessageTimedOut), "not_sent");
    assert_eq!(class(Code::Fatal), "not_sent");
    let enqueue = |code| AppendError::of_enqueue(&KafkaError::MessageProduction(code)).class();
    assert_eq!(enqueue(Code::QueueFull), "overloaded");
    assert_eq!(enqueue(Code::MessageSizeTooLarge), "refused");
    assert_eq!(enqueue(Code::Fatal), "not_sent");
}

#[test]
fn what_a_client_gave_up_is_unknown_whatever_it_says() {
    use RDKafkaErrorCode as Code;
    for (code, persisted) in
        [Code::PurgeQueue, Code::PurgeInflight].into_iter().flat_map(|code| ALL.map(|p| (code, p)))
    {
        let error = report(code, persisted);
        assert_eq!(error, AppendError::Unknown(code));
        assert_eq!(error.outcome(), Outcome::Unclear, "it says nothing about the partition");
    }
}

#[test]
fn outages_open_the_breaker_and_refusals_do_not() {
    use RDKafkaErrorCode as Code;
    let outcome = |code| report(code, Persisted::No).outcome();
    assert_eq!(outcome(Code::MessageTimedOut), Outcome::Outage);
    assert_eq!(outcome(Code::NotEnoughReplicas), Outcome::Outage);
    assert_eq!(outcome(Code::MessageSizeTooLarge), Outcome::Answered);
    assert_eq!(outcome(Code::OutOfOrderSequenceNumber), Outcome::Unclear);
    assert_eq!(AppendError::Overloaded.outcome(), Outcome::Unclear);
}
