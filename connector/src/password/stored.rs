//! Scheme 1: bcrypt of the password itself.

use std::fmt;

use thiserror::Error;

use super::Cost;

/// The longest password that bcrypt reads, in bytes. What follows would not count, so a longer
/// password is refused instead of being accepted by its beginning.
const MAX_PASSWORD_BYTES: usize = 72;

/// Length of a bcrypt hash in modular crypt form: `$2b$12$`, 22 characters of salt, 31 of hash.
const HASH_LENGTH: usize = 60;

/// A bcrypt hash (`$2a$`, `$2b$` or `$2y$`) of a cost that we accept. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct StoredHash(String);

/// Why a text is no acceptable hash. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidHash {
    /// Not `$2a$`, `$2b$` or `$2y$`. `$2x$` marks the output of an implementation with a fault.
    #[error("must be a bcrypt hash that begins with $2a$, $2b$ or $2y$")]
    Version,
    /// A cost that is too cheap to accept, or so expensive that it would block the pool.
    #[error("must have a bcrypt cost from 10 to 12")]
    Cost,
    /// Not 60 characters of the right alphabet.
    #[error("must be a complete bcrypt hash of 60 characters")]
    Shape,
}

impl StoredHash {
    /// Parses the modular crypt form.
    pub fn parse(text: &str) -> Result<Self, InvalidHash> {
        let known_version =
            ["$2a$", "$2b$", "$2y$"].iter().any(|version| text.starts_with(version));
        if !known_version {
            return Err(InvalidHash::Version);
        }
        let in_alphabet = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'.' || byte == b'/';
        let bytes = text.as_bytes();
        if bytes.len() != HASH_LENGTH
            || bytes[6] != b'$'
            || !bytes[7..].iter().all(|b| in_alphabet(*b))
        {
            return Err(InvalidHash::Shape);
        }
        let cost = text[4..6].parse().map_err(|_| InvalidHash::Shape)?;
        Cost::new(cost).map_err(|_| InvalidHash::Cost)?;
        Ok(Self(text.to_owned()))
    }

    /// Hashes a password. Takes about 85 ms at cost 10, twice that for each step.
    pub(super) fn of(password: &str, cost: Cost) -> Self {
        let text = bcrypt::hash(password, cost.into())
            .expect("bcrypt fails only for costs that `Cost` excludes");
        Self(text)
    }

    /// Whether the password is the one. Takes the time of one hash whatever the answer.
    pub(super) fn verify(&self, password: &str) -> bool {
        // `parse` has checked the shape, so an error can only mean that nothing fits.
        let fits = bcrypt::verify(password, &self.0).unwrap_or(false);
        fits && Self::can_hold(password)
    }

    /// Whether bcrypt reads all of this password.
    #[must_use]
    pub fn can_hold(password: &str) -> bool {
        password.len() <= MAX_PASSWORD_BYTES && !password.contains('\0')
    }

    /// The modular crypt form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for StoredHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StoredHash(…)")
    }
}

#[cfg(test)]
#[path = "stored_tests.rs"]
mod tests;
