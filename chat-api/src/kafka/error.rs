//! What can go wrong with the log, sorted by what a caller can do about it.

use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::message::{Partition, Position};

/// Why a record was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too much is under way here. Nothing was sent; a retry may succeed.
    #[error("too many appends are under way")]
    Overloaded,
    /// The record did not reach the log. A retry may succeed.
    #[error("the record was not appended: {0}")]
    NotSent(RDKafkaErrorCode),
    /// The record may stand in the log: its acknowledgement did not come.
    #[error("no acknowledgement came: {0}")]
    Unknown(RDKafkaErrorCode),
    /// The log does not take this record; a retry does not help.
    #[error("the log refuses the record: {0}")]
    Refused(RDKafkaErrorCode),
}

impl AppendError {
    /// Sorts the answer to handing a record to the client library.
    pub(super) fn of_enqueue(error: &KafkaError) -> Self {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code() {
            Some(Code::QueueFull) => Self::Overloaded,
            Some(code @ (Code::MessageSizeTooLarge | Code::InvalidArgument)) => Self::Refused(code),
            code => Self::NotSent(code.unwrap_or(Code::Fail)),
        }
    }

    /// Sorts a delivery report.
    ///
    /// librdkafka also knows whether a timed-out record ever left the queue, but says so only
    /// through a raw pointer; without it `Unknown` is the honest class.
    pub(super) fn of_report(error: &KafkaError) -> Self {
        use RDKafkaErrorCode as Code;
        match error.rdkafka_error_code().unwrap_or(Code::Fail) {
            code @ (Code::MessageSizeTooLarge
            | Code::InvalidMessage
            | Code::InvalidRecord
            | Code::InvalidMessageSize
            | Code::PolicyViolation
            | Code::TopicAuthorizationFailed
            | Code::ClusterAuthorizationFailed) => Self::Refused(code),
            code @ (Code::PurgeQueue
            | Code::UnknownTopicOrPartition
            | Code::UnknownTopic
            | Code::UnknownPartition
            | Code::NotEnoughReplicas) => Self::NotSent(code),
            code => Self::Unknown(code),
        }
    }

    /// The class for metrics and clients.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Overloaded => "overloaded",
            Self::NotSent(_) => "not_sent",
            Self::Unknown(_) => "unknown",
            Self::Refused(_) => "refused",
        }
    }
}

/// Why the log cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The topic is not there.
    #[error("topic {0} does not exist: run `chat-api topics ensure`")]
    NoTopic(String),
    /// A topic is not as it should be.
    #[error("{0}")]
    Shape(String),
    /// The broker or the client library said no.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// A number of the broker's is not one.
    #[error(transparent)]
    Invalid(#[from] crate::message::Invalid),
    /// There is no record at this place, although one was read there.
    #[error("partition {0} has no record any more at offset {offset}", offset = .1.offset())]
    Gone(Partition, Position),
    /// The thread that asked the broker died.
    #[error("asking the broker ended without an answer")]
    Died,
}

impl LogError {
    /// Whether a partition is only between two leaders, as right after its topic was created or a
    /// broker left.
    #[must_use]
    pub fn is_election(&self) -> bool {
        use RDKafkaErrorCode as Code;
        let Self::Kafka(error) = self else { return false };
        matches!(
            error.rdkafka_error_code(),
            Some(
                Code::NotLeaderForPartition
                    | Code::LeaderNotAvailable
                    | Code::UnknownTopicOrPartition
            )
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timed_out_record_is_never_called_unsent() {
        use RDKafkaErrorCode as Code;
        for code in [
            Code::MessageTimedOut,
            Code::RequestTimedOut,
            Code::PurgeInflight,
            Code::NotEnoughReplicasAfterAppend,
            Code::BrokerTransportFailure,
        ] {
            let class = AppendError::of_report(&KafkaError::MessageProduction(code));
            assert_eq!(class, AppendError::Unknown(code));
        }
    }

    #[test]
    fn each_error_has_one_class() {
        use RDKafkaErrorCode as Code;
        let report = |code| AppendError::of_report(&KafkaError::MessageProduction(code)).class();
        assert_eq!(report(Code::MessageSizeTooLarge), "refused");
        assert_eq!(report(Code::NotEnoughReplicas), "not_sent");
        let enqueue = |code| AppendError::of_enqueue(&KafkaError::MessageProduction(code)).class();
        assert_eq!(enqueue(Code::QueueFull), "overloaded");
        assert_eq!(enqueue(Code::Fatal), "not_sent");
    }
}
