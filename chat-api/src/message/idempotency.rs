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
        let mut name = Vec::new();
        for part in [subject.as_str(), room.as_str(), operation, target, &key.0] {
            // With its length before it, no part passes for the end of another.
            name.extend_from_slice(&(part.len() as u64).to_be_bytes());
            name.extend_from_slice(part.as_bytes());
        }
        Self(Uuid::new_v5(&KEYED, &name))
    }
}

/// What a key was used for: the first 16 bytes of the content's SHA-256, in text 32 lower-case
/// hexadecimal characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct BodyHash([u8; 16]);

impl BodyHash {
    /// The hash of a content.
    #[must_use]
    pub fn of(content: &Content) -> Self {
        let digest: [u8; 32] = Sha256::digest(content.as_str()).into();
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
mod tests {
    use std::collections::HashSet;

    use super::*;

    fn key(text: &str) -> IdempotencyKey {
        IdempotencyKey::parse(text).unwrap()
    }

    #[test]
    fn keys_are_short_and_visible() {
        for valid in ["a", "~", "!", "\"8e03978e-40d5-43dd-bc93-6894a57f9324\"", &"k".repeat(255)] {
            assert!(IdempotencyKey::parse(valid).is_ok(), "{valid}");
        }
        for invalid in ["", " ", "a b", "a\t", "a\u{7f}", "ü", &"k".repeat(256)] {
            assert!(IdempotencyKey::parse(invalid).is_err(), "{invalid:?}");
        }
    }

    #[test]
    fn every_part_of_what_is_done_makes_another_id_and_the_same_parts_the_same() {
        let id = |subject: &str, room: &str, operation, target, text: &str| {
            let subject = UserId::parse(subject).unwrap();
            MessageId::of_key(
                &subject,
                &RoomId::parse(room).unwrap(),
                operation,
                target,
                &key(text),
            )
        };
        let ids = [
            id("ada", "lobby", "send", "", "1"),
            id("bob", "lobby", "send", "", "1"),
            id("ada", "cellar", "send", "", "1"),
            id("ada", "lobby", "edit", "", "1"),
            id("ada", "lobby", "send", "x", "1"),
            id("ada", "lobby", "send", "", "2"),
            // The same characters, cut elsewhere.
            id("adal", "obby", "send", "", "1"),
            id("ada", "lobby", "sen", "d", "1"),
        ];
        assert_eq!(ids.iter().collect::<HashSet<_>>().len(), ids.len());
        assert_eq!(ids[0], id("ada", "lobby", "send", "", "1"));
        assert_eq!(MessageId::parse(&ids[0].to_string()), Ok(ids[0]));
    }

    #[test]
    fn a_hash_is_the_first_half_of_the_sha_256_and_survives_its_text() {
        let hash = BodyHash::of(&Content::parse("abc").unwrap());
        // FIPS 180-2, appendix B.1.
        assert_eq!(hash.to_string(), "ba7816bf8f01cfea414140de5dae2223");
        assert_eq!(BodyHash::parse(&hash.to_string()), Ok(hash));
        let low = "00000000000000000000000000000001";
        assert_eq!(BodyHash::parse(low).unwrap().to_string(), low);
        for text in ["", "1", "BA7816BF8F01CFEA414140DE5DAE2223", &"0".repeat(33), &"+".repeat(32)]
        {
            assert!(BodyHash::parse(text).is_err(), "{text:?}");
        }
    }
}
