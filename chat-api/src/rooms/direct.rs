//! Which room is the direct one of two people.

use sha2::{Digest as _, Sha256};

use crate::message::{RoomId, UserId, length_prefixed};

/// The direct room of two people, whoever asks first: named by the first 16 bytes of the SHA-256 of both
/// subjects, sorted. 32 hexadecimal digits without hyphens are no other room's id. `None` for one person.
///
/// # Panics
/// Never: hexadecimal digits are a room id.
#[must_use]
pub fn room_of(one: &UserId, other: &UserId) -> Option<RoomId> {
    let (first, second) = match one.cmp(other) {
        std::cmp::Ordering::Less => (one, other),
        std::cmp::Ordering::Equal => return None,
        std::cmp::Ordering::Greater => (other, one),
    };
    let digest: [u8; 32] =
        Sha256::digest(length_prefixed(&[first.as_str(), second.as_str()])).into();
    let number = digest[..16].iter().fold(0, |number, byte| (number << 8) | u128::from(*byte));
    let id = RoomId::parse(&format!("{number:032x}"));
    Some(id.expect("hexadecimal digits are a room id"))
}

#[cfg(test)]
#[path = "direct_tests.rs"]
mod tests;
