//! What can go wrong with the log, sorted by what a caller can do about it.

use kafka_native::Persisted;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use super::breaker::Outcome;
use crate::message::{Partition, Position};

/// Why a record was not acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AppendError {
    /// Too much is under way here. Nothing was sent; a retry may succeed.
    #[error("too many appends are under way")]
    Overloaded,
    /// The partition takes nothing at the moment. Nothing was sent; a retry may succeed later.
    #[error("the partition takes no appends at the moment")]
    Unavailable,
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
    /// Sorts the answer to handing a record to the client library, which did not take it.
    pub(super) fn of_enqueue(error: &KafkaError) -> Self {
        Self::sort(code(error), Persisted::No)
    }

    /// Sorts a delivery report by its error and by what the client library knows of the record.
    pub(super) fn of_report(error: &KafkaError, persisted: Persisted) -> Self {
        Self::sort(code(error), persisted)
    }

    fn sort(code: RDKafkaErrorCode, persisted: Persisted) -> Self {
        use RDKafkaErrorCode as Code;
        match (code, persisted) {
            // It was sent without a word on it coming back; or the client gave up all its records,
            // and no longer vouches for any of them.
            (_, Persisted::Possibly | Persisted::Yes)
            | (Code::PurgeQueue | Code::PurgeInflight, Persisted::No) => Self::Unknown(code),
            (Code::QueueFull, Persisted::No) => Self::Overloaded,
            // What is wrong is the record, or who sends it.
            (
                Code::MessageSizeTooLarge
                | Code::InvalidMessage
                | Code::InvalidMessageSize
                | Code::InvalidRecord
                | Code::InvalidTimestamp
                | Code::InvalidArgument
                | Code::PolicyViolation
                | Code::TopicAuthorizationFailed
                | Code::ClusterAuthorizationFailed,
                Persisted::No,
            ) => Self::Refused(code),
            (_, Persisted::No) => Self::NotSent(code),
        }
    }

    /// What it tells about its partition.
    pub(super) fn outcome(self) -> Outcome {
        use RDKafkaErrorCode as Code;
        match self {
            Self::Refused(_) => Outcome::Answered,
            Self::NotSent(code) | Self::Unknown(code) => match code {
                Code::MessageTimedOut
                | Code::OperationTimedOut
                | Code::RequestTimedOut
                | Code::BrokerTransportFailure
                | Code::AllBrokersDown
                | Code::NotEnoughReplicas
                | Code::NotEnoughReplicasAfterAppend
                | Code::LeaderNotAvailable
                | Code::NotLeaderForPartition
                | Code::UnknownTopicOrPartition
                | Code::KafkaStorageError => Outcome::Outage,
                _ => Outcome::Unclear,
            },
            Self::Overloaded | Self::Unavailable => Outcome::Unclear,
        }
    }

    /// The class for metrics and clients.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Overloaded => "overloaded",
            Self::Unavailable => "unavailable",
            Self::NotSent(_) => "not_sent",
            Self::Unknown(_) => "unknown",
            Self::Refused(_) => "refused",
        }
    }
}

fn code(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Fail)
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
    /// No broker could be reached: what stood in the way, and at which address.
    #[error("Kafka cannot be reached: {0}")]
    Unreachable(String),
    /// The client library does not take the record: it is larger than it was told to send.
    #[error("the record is too large to be sent")]
    TooLarge,
    /// The broker or the client library said no.
    #[error(transparent)]
    Kafka(#[from] KafkaError),
    /// A number of the broker's is not one.
    #[error(transparent)]
    Invalid(#[from] crate::message::Invalid),
    /// There is no record at this place, although one was read there.
    #[error("partition {0} has no record any more at offset {offset}", offset = .1.offset())]
    Gone(Partition, Position),
    /// The thread that asked the broker panicked, or its client ended before the answer.
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
#[path = "error_tests.rs"]
mod tests;
