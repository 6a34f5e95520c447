//! A record as it stands in a topic, whatever it says.

use std::fmt;

use chrono::{DateTime, Utc};
use rdkafka::message::{BorrowedHeaders, BorrowedMessage, Message as _, OwnedHeaders};

use super::{GENERATION, LogError};
use crate::message::{Partition, Position};

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
}

impl Raw {
    pub(super) fn of(record: &BorrowedMessage<'_>) -> Result<Self, LogError> {
        Ok(Self {
            partition: Partition::from_number(record.partition())?,
            position: Position::new(GENERATION, record.offset())?,
            written: record.timestamp().to_millis().and_then(DateTime::from_timestamp_millis),
            key: record.key().map(<[u8]>::to_vec),
            value: record.payload().map(<[u8]>::to_vec),
            headers: record.headers().map(BorrowedHeaders::detach),
        })
    }

    /// The bytes of its key and its value.
    #[must_use]
    pub fn size(&self) -> usize {
        [&self.key, &self.value].into_iter().flatten().map(Vec::len).sum()
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

#[cfg(test)]
impl Raw {
    /// A record with nothing but a place.
    pub(crate) fn bare(partition: Partition, position: Position) -> Self {
        Self { partition, position, written: None, key: None, value: None, headers: None }
    }
}
