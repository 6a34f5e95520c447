//! Peppers: secrets that a stolen database does not hold, without which its hashes tell nothing.

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice, SecretString};
use sha2::Sha384;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

use crate::keys::{self, InvalidKey};

/// Longest id of a pepper, in bytes. It stands beside every hash.
const MAX_ID_BYTES: usize = 32;

/// The peppers by id, the current one first (NIST SP 800-63B-4 §3.1.1.2: a keyed hash whose key is
/// kept apart from the hashes).
#[derive(Debug, Clone)]
pub struct Peppers {
    current: Pepper,
    earlier: Vec<Pepper>,
}

#[derive(Debug, Clone)]
struct Pepper {
    id: String,
    key: SecretSlice<u8>,
}

/// A text that cannot be used. Nothing of it is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidPeppers {
    /// One of its lines.
    #[error("line {line}: {reason}")]
    Line {
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        #[source]
        reason: InvalidPepper,
    },
    /// Nothing but blank lines and comments.
    #[error("holds no pepper")]
    Empty,
}

/// Why a line is no pepper.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidPepper {
    /// No colon.
    #[error("must be id:base64")]
    Shape,
    /// Not an id.
    #[error("the id must be 1 to {MAX_ID_BYTES} of a-z, 0-9 and -")]
    Id,
    /// An id that cannot tell which pepper is meant.
    #[error("the id stands in an earlier line")]
    Repeated,
    /// Not a key.
    #[error("the pepper {0}")]
    Key(#[from] InvalidKey),
}

impl Peppers {
    /// Reads lines of `id:base64`, at least 32 bytes each. The first is for new hashes, the others
    /// verify old ones. Blank lines and lines that begin with `#` do not count.
    pub fn parse(text: &str) -> Result<Self, InvalidPeppers> {
        let mut peppers: Vec<Pepper> = Vec::new();
        for (index, line) in text.lines().enumerate() {
            let line = line.trim();
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let pepper = Pepper::parse(line)
                .and_then(|new| {
                    let repeated = peppers.iter().any(|pepper| pepper.id == new.id);
                    if repeated { Err(InvalidPepper::Repeated) } else { Ok(new) }
                })
                .map_err(|reason| InvalidPeppers::Line { line: index + 1, reason })?;
            peppers.push(pepper);
        }
        let mut peppers = peppers.into_iter();
        let current = peppers.next().ok_or(InvalidPeppers::Empty)?;
        Ok(Self { current, earlier: peppers.collect() })
    }

    /// The id of the pepper that new hashes are made with.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.current.id
    }

    /// What bcrypt hashes under scheme 2: base64(HMAC-SHA-384(NFKC(password), pepper)). These are 64
    /// characters for a password of any length: they fit into the 72 bytes that bcrypt reads and
    /// hold no NUL. `None` when there is no pepper of this id.
    pub(super) fn season(&self, password: &str, pepper_id: &str) -> Option<SecretString> {
        let mut peppers = std::iter::once(&self.current).chain(&self.earlier);
        let pepper = peppers.find(|pepper| pepper.id == pepper_id)?;
        // NIST SP 800-63B-4 §3.1.1.2: what looks the same on two keyboards is the same password.
        let password = SecretString::from(password.nfkc().collect::<String>());
        let mut mac = Hmac::<Sha384>::new_from_slice(pepper.key.expose_secret())
            .expect("HMAC takes keys of any length");
        mac.update(password.expose_secret().as_bytes());
        Some(keys::encode(&mac.finalize().into_bytes()).into())
    }
}

impl Pepper {
    fn parse(line: &str) -> Result<Self, InvalidPepper> {
        let (id, key) = line.split_once(':').ok_or(InvalidPepper::Shape)?;
        let id = id.trim();
        if !is_id(id) {
            return Err(InvalidPepper::Id);
        }
        Ok(Self { id: id.to_owned(), key: keys::decode(key.trim())? })
    }
}

/// Whether a text can name a pepper.
pub(super) fn is_id(text: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    (1..=MAX_ID_BYTES).contains(&text.len()) && text.bytes().all(fits)
}

#[cfg(test)]
#[path = "pepper_tests.rs"]
mod tests;
