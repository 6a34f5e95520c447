//! Whether a record that was not acknowledged stands in the log nevertheless.
//!
//! librdkafka notes for each record whether it was ever handed to a broker, and what that broker
//! said. The `rdkafka` crate does not pass this on, so this crate asks for it: one call, the only
//! unsafe code of the workspace (`docs/adr/0010-…`).

use rdkafka::bindings::{rd_kafka_message_status, rd_kafka_msg_status_t as Status};
use rdkafka::message::BorrowedMessage;

/// Whether a record stands in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Persisted {
    /// It does not: it never left this process, or the broker said that it did not take it.
    No,
    /// It may: it was sent, and no word on it came back.
    Possibly,
    /// It does: the broker said so.
    Yes,
}

/// What is known of the record in a delivery report.
#[must_use]
pub fn of(record: &BorrowedMessage<'_>) -> Persisted {
    // SAFETY: the function reads one field of the record that the pointer leads to, and nothing
    // else. A `BorrowedMessage` keeps the event alive that holds the record, so the pointer is
    // valid as long as `record` is borrowed. What librdkafka hands out is always the head of its own
    // larger record (`rd_kafka_message2msg`), which has that field; no other values than those of
    // `Status` are ever written to it.
    let status = unsafe { rd_kafka_message_status(record.ptr()) };
    match status {
        Status::RD_KAFKA_MSG_STATUS_NOT_PERSISTED => Persisted::No,
        Status::RD_KAFKA_MSG_STATUS_POSSIBLY_PERSISTED => Persisted::Possibly,
        Status::RD_KAFKA_MSG_STATUS_PERSISTED => Persisted::Yes,
    }
}
