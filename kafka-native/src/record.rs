//! What librdkafka knows of a record: whether one that was not acknowledged stands in the log nevertheless, what one
//! header says and how large all are, whatever they are called.

use std::ffi::CStr;
use std::{ptr, slice};

use rdkafka::bindings::{
    rd_kafka_header_get_all, rd_kafka_header_get_last, rd_kafka_message_headers,
    rd_kafka_message_status, rd_kafka_msg_status_t as Status, rd_kafka_resp_err_t as Answer,
};
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
pub fn persisted(record: &BorrowedMessage<'_>) -> Persisted {
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

/// The value of the last header of that name, if there is one and it has a value.
///
/// `rdkafka` only walks through all headers, and panics at a name that is not UTF-8: anybody who may
/// write to the topic could stop its readers.
#[must_use]
pub fn header<'a>(record: &'a mut BorrowedMessage<'_>, name: &CStr) -> Option<&'a [u8]> {
    let mut headers = ptr::null_mut();
    // SAFETY: the record is valid as above. The function writes the list of its headers to `headers`
    // if it answers that there are any; the list belongs to the record and lives as long. It may
    // parse them first, which changes the record: nobody else looks at it, for it is borrowed mutably.
    let answer = unsafe { rd_kafka_message_headers(record.ptr(), &raw mut headers) };
    if answer != Answer::RD_KAFKA_RESP_ERR_NO_ERROR {
        return None;
    }
    let (mut value, mut length) = (ptr::null(), 0);
    // SAFETY: `headers` was written above, and `name` ends with a zero. The function compares names
    // byte by byte, and writes both out parameters if it answers that there is such a header.
    let answer = unsafe {
        rd_kafka_header_get_last(headers, name.as_ptr(), &raw mut value, &raw mut length)
    };
    if answer != Answer::RD_KAFKA_RESP_ERR_NO_ERROR || value.is_null() {
        return None;
    }
    // SAFETY: librdkafka says that the value has this many bytes. They belong to the list of headers,
    // which nothing changes while the record is borrowed.
    Some(unsafe { slice::from_raw_parts(value.cast(), length) })
}

/// What is known of the headers of a record without relying on what they are called.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headers {
    /// How many there are.
    pub count: usize,
    /// Bytes of their names and values. Of a name that holds a zero those before it count.
    pub bytes: usize,
    /// From this one on, counted from 0, every name is UTF-8. `rdkafka` panics at any other.
    pub readable_from: usize,
}

/// What is known of a record's headers. `rdkafka` tells nothing of it without looking at the names.
#[must_use]
pub fn headers(record: &mut BorrowedMessage<'_>) -> Headers {
    let mut headers = ptr::null_mut();
    let mut known = Headers::default();
    // SAFETY: as in `header`.
    let answer = unsafe { rd_kafka_message_headers(record.ptr(), &raw mut headers) };
    if answer != Answer::RD_KAFKA_RESP_ERR_NO_ERROR {
        return known;
    }
    for index in 0.. {
        let (mut name, mut value, mut length) = (ptr::null(), ptr::null(), 0);
        // SAFETY: `headers` was written above. The function answers with an error, and writes nothing,
        // if there are no more headers than `index`; otherwise it writes all three out parameters.
        let answer = unsafe {
            rd_kafka_header_get_all(headers, index, &raw mut name, &raw mut value, &raw mut length)
        };
        if answer != Answer::RD_KAFKA_RESP_ERR_NO_ERROR {
            break;
        }
        // SAFETY: librdkafka ends each name with a zero. It belongs to the list of headers, which
        // nothing changes while the record is borrowed.
        let name = unsafe { CStr::from_ptr(name) };
        known.count = index + 1;
        known.bytes = known.bytes.saturating_add(name.count_bytes()).saturating_add(length);
        if name.to_str().is_err() {
            known.readable_from = known.count;
        }
    }
    known
}
