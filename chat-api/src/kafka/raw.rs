//! A record as it stands in a topic, whatever it says.

use std::fmt;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Message as _, OwnedHeaders};
use sha2::{Digest as _, Sha256};

use super::{Log, LogError};
use crate::message::{Partition, Position};

/// What the topic of dead letters takes. The topic with messages takes 1 MiB, compressed.
pub(super) const MAX_BYTES: usize = 8 << 20;

/// Bytes of key, value and headers of a record that is kept whole: with what is said of it beside, a
/// dead letter has [`MAX_BYTES`] at most. One that was compressed may unfold to 255 times what the
/// topic takes.
pub(super) const KEPT: usize = MAX_BYTES - (64 << 10);
/// Bytes of a key that is kept of a larger one: that of a room has 64.
const KEY_KEPT: usize = 1_024;
/// What a header takes beside its name and value: two lengths of up to 5 bytes in a record, and what the
/// client library keeps of it in memory. A record may have 100,000 that say nothing.
const HEADER: usize = 64;

/// What is known of a record that is too large to be kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Bytes of its key, its value and its headers, with what each header takes beside.
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
    /// The bytes of its key; absent if it has none.
    pub key: Option<Vec<u8>>,
    /// The bytes of its value; absent if it has none, or was too large to be kept.
    pub value: Option<Vec<u8>>,
    /// Its headers, untouched: the client library panics at a name that is not UTF-8 as soon as one
    /// looks at it.
    pub(super) headers: Option<OwnedHeaders>,
    /// From which of them on one may look at the names.
    pub(super) readable_from: usize,
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
        let headers = kafka_native::headers(record);
        let length = |part: Option<&[u8]>| part.map_or(0, <[u8]>::len);
        let headers_size = headers.bytes.saturating_add(headers.count * HEADER);
        let size = length(record.key()) + length(record.payload()) + headers_size;
        let bare = Self { written, ..Self::bare(partition, position) };
        // A dead letter has headers of ours besides what was kept, and was small enough to be written.
        if size > KEPT && (size > MAX_BYTES || record.topic() != log.dead_letters()) {
            return Ok(bare.cut_down(record.key(), record.payload(), size));
        }
        Ok(Self {
            key: record.key().map(<[u8]>::to_vec),
            value: record.payload().map(<[u8]>::to_vec),
            headers: record.headers().map(BorrowedHeaders::detach),
            readable_from: headers.readable_from,
            size,
            ..bare
        })
    }

    /// The same record as one that is too large to be kept.
    pub(super) fn without_body(&self) -> Self {
        let bare = Self { written: self.written, ..Self::bare(self.partition, self.position) };
        bare.cut_down(self.key.as_deref(), self.value.as_deref(), self.size)
    }

    fn cut_down(self, key: Option<&[u8]>, value: Option<&[u8]>, bytes: usize) -> Self {
        let key = key.filter(|key| key.len() <= KEY_KEPT).map(<[u8]>::to_vec);
        let cut = Cut { bytes, sha256: sha256(value.unwrap_or_default()) };
        Self { size: key.as_ref().map_or(0, Vec::len), key, cut: Some(cut), ..self }
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
            readable_from: 0,
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
