//! A record as it stands in a topic, whatever it says.

use std::fmt;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Message as _, OwnedHeaders};
use sha2::{Digest as _, Sha256};

use super::{Log, LogError, dlq};
use crate::message::{Partition, Position};

/// Bytes of key, value and headers of a record that is kept whole: with what is said of it beside, a
/// dead letter has [`dlq::MAX_BYTES`] at most. One that was compressed may unfold to 255 times what the
/// topic takes.
pub(super) const KEPT: usize = dlq::MAX_BYTES - (64 << 10);
/// Bytes of a key that is kept of a larger one: that of a room has 64.
const KEY_KEPT: usize = 1_024;

/// What is known of a record that is too large to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Bytes of its key, its value and its headers.
    pub bytes: usize,
    /// SHA-256 of its value, in hexadecimal.
    pub sha256: String,
}

/// A record with all that makes it what it is: enough to put the same one elsewhere.
pub struct Raw {
    /// The partition it stands in.
    pub partition: Partition,
    /// Its place in that partition.
    pub position: Position,
    /// When it was written, if the topic tells.
    pub written: Option<DateTime<Utc>>,
    /// Its key.
    pub key: Option<Vec<u8>>,
    /// Its value.
    pub value: Option<Vec<u8>>,
    /// Its headers, untouched: the client library panics at a name that is not UTF-8 as soon as one
    /// looks at it.
    pub(super) headers: Option<OwnedHeaders>,
    /// Bytes of all of these.
    size: usize,
    /// What it was, if it is too large: then value and headers are left out.
    pub(super) cut: Option<Cut>,
}

impl Raw {
    pub(super) fn of(log: &Log, record: &mut BorrowedMessage<'_>) -> Result<Self, LogError> {
        let partition = Partition::from_number(record.partition())?;
        let position = log.position(record.offset())?;
        let written = record.timestamp().to_millis().and_then(DateTime::from_timestamp_millis);
        let headers = kafka_record::headers_size(record);
        let length = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len);
        let size = length(record.key()) + length(record.payload()) + headers;
        let bare = Self { written, ..Self::bare(partition, position) };
        if size > KEPT {
            let key = record.key().filter(|key| key.len() <= KEY_KEPT).map(<[u8]>::to_vec);
            let cut = Cut { bytes: size, sha256: sha256(record.payload().unwrap_or_default()) };
            return Ok(Self { size: length(key.as_deref()), key, cut: Some(cut), ..bare });
        }
        Ok(Self {
            key: record.key().map(<[u8]>::to_vec),
            value: record.payload().map(<[u8]>::to_vec),
            headers: record.headers().map(BorrowedHeaders::detach),
            size,
            ..bare
        })
    }

    /// A record of which nothing but its place is known.
    pub(crate) fn bare(partition: Partition, position: Position) -> Self {
        Self {
            partition,
            position,
            written: None,
            key: None,
            value: None,
            headers: None,
            size: 0,
            cut: None,
        }
    }

    /// The bytes that are kept of it.
    #[must_use]
    pub fn size(&self) -> usize {
        self.size
    }
}

/// Without key, value and headers: what somebody said does not belong into a log.
impl fmt::Debug for Raw {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { partition, position, .. } = self;
        formatter
            .debug_struct("Raw")
            .field("partition", partition)
            .field("position", position)
            .finish_non_exhaustive()
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |mut text, byte| {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
