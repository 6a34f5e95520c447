//! What makes a send safe to repeat.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use super::{Content, Invalid, MessageId, RoomId, UserId};

/// Longer than any UUID, hash or token that a client may use.
const KEY_MAX: usize = 255;

/// The namespace (RFC 9562 §5.5) of ids that are made of a key.
const KEYED: Uuid = Uuid::from_u128(0x8f3c_1b52_6d0e_4a7b_9c64_e5a1_70d2_3f98);
/// The namespace of ids of rooms that are made of a key.
const KEYED_ROOM: Uuid = Uuid::from_u128(0x2b7e_90c4_51fa_4d36_a8b3_6c0f_e214_97d5);

/// A name that its sender gives to a send: sent again under the same one, it is said once. 1 to 255
/// visible ASCII characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Parses a key.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let visible = text.bytes().all(|byte| byte.is_ascii_graphic());
        if visible && (1..=KEY_MAX).contains(&text.len()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid("key: 1 to 255 visible ASCII characters"))
        }
    }
}

impl MessageId {
    /// The id of what a person does with a key: a UUID of version 5, the same on every replica.
    /// `operation` is what is done, and `target` what it is done to, if it is done to something.
    #[must_use]
    pub fn of_key(
        subject: &UserId,
        room: &RoomId,
        operation: &str,
        target: &str,
        key: &IdempotencyKey,
    ) -> Self {
        let parts = [subject.as_str(), room.as_str(), operation, target, &key.0];
        Self(Uuid::new_v5(&KEYED, &length_prefixed(&parts)))
    }
}

impl RoomId {
    /// The id of the room that a person makes with a key: a UUID of version 5, the same on every replica
    /// and at every attempt.
    ///
    /// # Panics
    /// Never: a hyphenated UUID is a room id.
    #[must_use]
    pub fn of_key(creator: &UserId, key: &IdempotencyKey) -> Self {
        let id = Uuid::new_v5(&KEYED_ROOM, &length_prefixed(&[creator.as_str(), &key.0]));
        Self::parse(&id.to_string()).expect("a hyphenated UUID is a room id")
    }

    /// The id of a room that is made without a key.
    ///
    /// # Panics
    /// Never: a hyphenated UUID is a room id.
    #[must_use]
    pub fn of_record(id: MessageId) -> Self {
        Self::parse(&id.to_string()).expect("a hyphenated UUID is a room id")
    }
}

/// Parts as one name. With its length before it, no part passes for the end of another.
pub(crate) fn length_prefixed(parts: &[&str]) -> Vec<u8> {
    let mut name = Vec::new();
    for part in parts {
        name.extend_from_slice(&(part.len() as u64).to_be_bytes());
        name.extend_from_slice(part.as_bytes());
    }
    name
}

/// What a key was used for: the first 16 bytes of the SHA-256 of the content and, behind U+0000, which no
/// content holds, the message that it answers, if it answers one. In text 32 lower-case hexadecimal
/// characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BodyHash([u8; 16]);

impl BodyHash {
    /// The hash of a content, and of the message that it answers.
    #[must_use]
    pub fn of(content: &Content, reply_to: Option<MessageId>) -> Self {
        let mut hasher = Sha256::new();
        hasher.update(content.as_str());
        if let Some(reply_to) = reply_to {
            hasher.update([0]);
            hasher.update(reply_to.to_string());
        }
        let digest: [u8; 32] = hasher.finalize().into();
        Self(std::array::from_fn(|index| digest[index]))
    }

    /// Parses the form that [`fmt::Display`] gives it.
    pub fn parse(text: &str) -> Result<Self, Invalid> {
        let number = u128::from_str_radix(text, 16).map_err(|_| Invalid("body hash"))?;
        let hash = Self(number.to_be_bytes());
        if hash.to_string() == text { Ok(hash) } else { Err(Invalid("body hash")) }
    }
}

impl fmt::Display for BodyHash {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl From<BodyHash> for String {
    fn from(hash: BodyHash) -> Self {
        hash.to_string()
    }
}

impl TryFrom<String> for BodyHash {
    type Error = Invalid;
    fn try_from(text: String) -> Result<Self, Invalid> {
        Self::parse(&text)
    }
}

#[cfg(test)]
#[path = "idempotency_tests.rs"]
mod tests;
