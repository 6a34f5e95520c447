//! Positions in the log, and their opaque form for clients.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use super::Invalid;

/// Offsets of one generation of the topic stay below 2⁴⁸, so a position orders generations first.
const OFFSET_BITS: u32 = 48;

/// A cursor is four bytes of partition and eight of position: 16 characters without padding.
const CURSOR_BYTES: usize = 12;

/// One partition of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Partition(u32);

impl Partition {
    /// The partition with Kafka's number, which is never negative for a partition that exists.
    pub fn from_number(number: i32) -> Result<Self, Invalid> {
        u32::try_from(number).map(Self).map_err(|_| Invalid("partition"))
    }

    /// Kafka's number of it.
    #[must_use]
    pub fn number(self) -> i32 {
        // Made from an i32 or from a cursor that was checked against this bound.
        i32::try_from(self.0).unwrap_or(i32::MAX)
    }

    /// Its place in a list of all partitions.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(formatter)
    }
}

/// A place in one partition: generation · 2⁴⁸ + offset. As JSON its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Position(i64);

impl Position {
    /// The place before the first record.
    pub const BEFORE_ALL: Self = Self(-1);
    /// The place of the first record.
    pub const FIRST: Self = Self(0);
    /// The place after every record there may ever be.
    pub const AFTER_ALL: Self = Self(i64::MAX);

    /// The position of an offset in a generation of the topic.
    pub fn new(generation: u16, offset: i64) -> Result<Self, Invalid> {
        let in_range = generation < 1 << 15 && (0..1 << OFFSET_BITS).contains(&offset);
        if !in_range {
            return Err(Invalid("position"));
        }
        Ok(Self((i64::from(generation) << OFFSET_BITS) + offset))
    }

    /// The place before the first record of a generation, and after all of those before.
    #[must_use]
    pub fn before(generation: u16) -> Self {
        Self((i64::from(generation) << OFFSET_BITS) - 1)
    }

    /// Whether a generation begins right after this place.
    #[must_use]
    pub fn is_before_generation(self) -> bool {
        self.next().offset() == 0
    }

    /// A position from its stored number.
    pub fn from_raw(raw: i64) -> Result<Self, Invalid> {
        if raw < Self::BEFORE_ALL.0 { Err(Invalid("position")) } else { Ok(Self(raw)) }
    }

    /// The number to store.
    #[must_use]
    pub fn raw(self) -> i64 {
        self.0
    }

    /// The offset within the generation. Only for a position that holds a record.
    #[must_use]
    pub fn offset(self) -> i64 {
        self.0 & ((1 << OFFSET_BITS) - 1)
    }

    /// The place directly after.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The place directly before.
    #[must_use]
    pub fn previous(self) -> Self {
        Self((self.0 - 1).max(Self::BEFORE_ALL.0))
    }
}

impl TryFrom<i64> for Position {
    type Error = Invalid;
    fn try_from(raw: i64) -> Result<Self, Invalid> {
        Self::from_raw(raw)
    }
}

impl From<Position> for i64 {
    fn from(position: Position) -> Self {
        position.raw()
    }
}

/// How far a client has read one partition: opaque to it, `(partition, position)` to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Cursor {
    /// The partition that is read.
    pub partition: Partition,
    /// The last position read.
    pub position: Position,
}

impl Cursor {
    /// Parses the text a client sends.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let invalid = Invalid("cursor");
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| invalid)?;
        let bytes: [u8; CURSOR_BYTES] = bytes.try_into().map_err(|_| invalid)?;
        let [p0, p1, p2, p3, position @ ..] = bytes;
        let number = i32::from_be_bytes([p0, p1, p2, p3]);
        let partition = Partition::from_number(number).map_err(|_| invalid)?;
        let position = Position::from_raw(i64::from_be_bytes(position)).map_err(|_| invalid)?;
        Ok(Self { partition, position })
    }
}

impl fmt::Display for Cursor {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = [0; CURSOR_BYTES];
        bytes[..4].copy_from_slice(&self.partition.0.to_be_bytes());
        bytes[4..].copy_from_slice(&self.position.0.to_be_bytes());
        formatter.write_str(&URL_SAFE_NO_PAD.encode(bytes))
    }
}

impl Serialize for Cursor {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

#[cfg(test)]
#[path = "cursor_tests.rs"]
mod tests;
