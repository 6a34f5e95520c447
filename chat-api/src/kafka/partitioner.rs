//! Which partition a room's records stand in.

use crate::message::{Partition, RoomId};

/// Chooses partitions as Kafka's Java clients do, so that every replica and tool agrees.
#[derive(Debug, Clone, Copy)]
pub struct Partitioner {
    partitions: u32,
}

impl Partitioner {
    /// For a topic with that many partitions. `None` for none.
    #[must_use]
    pub fn new(partitions: usize) -> Option<Self> {
        let partitions = i32::try_from(partitions).ok().filter(|count| *count > 0)?;
        Some(Self { partitions: partitions.unsigned_abs() })
    }

    /// The partition of a room.
    #[must_use]
    pub fn of(self, room: &RoomId) -> Partition {
        self.of_key(room.as_str())
    }

    /// The partition of a key.
    #[must_use]
    pub fn of_key(self, key: &str) -> Partition {
        // Java masks the sign away instead of taking the absolute value.
        let positive = murmur2(key.as_bytes()) & 0x7fff_ffff;
        self.number(positive % self.partitions)
    }

    /// Every partition.
    pub fn all(self) -> impl Iterator<Item = Partition> {
        (0..self.partitions).map(move |number| self.number(number))
    }

    /// How many partitions there are.
    #[must_use]
    pub fn count(self) -> usize {
        self.partitions as usize
    }

    #[expect(clippy::unused_self, reason = "numbers are only valid below this partitioner's count")]
    fn number(self, number: u32) -> Partition {
        let number = i32::try_from(number).expect("the count of partitions fits an i32");
        Partition::from_number(number).expect("a number made from an unsigned one")
    }
}

/// `MurmurHash2`, 32 bit, with the seed of Kafka's Java clients.
fn murmur2(data: &[u8]) -> u32 {
    const SEED: u32 = 0x9747_b28c;
    const MIX: u32 = 0x5bd1_e995;

    let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
    let (blocks, tail) = data.as_chunks::<4>();
    let mut hash = blocks.iter().fold(SEED ^ length, |hash, block| {
        let mut word = u32::from_le_bytes(*block).wrapping_mul(MIX);
        word ^= word >> 24;
        hash.wrapping_mul(MIX) ^ word.wrapping_mul(MIX)
    });
    if !tail.is_empty() {
        let word = tail.iter().rev().fold(0, |word, byte| (word << 8) | u32::from(*byte));
        hash = (hash ^ word).wrapping_mul(MIX);
    }
    hash ^= hash >> 13;
    hash = hash.wrapping_mul(MIX);
    hash ^ (hash >> 15)
}

#[cfg(test)]
#[path = "partitioner_tests.rs"]
mod tests;
