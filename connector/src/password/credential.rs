//! What is stored of a password.

use std::fmt;
use std::str::FromStr as _;

use bcrypt::HashParts;
use thiserror::Error;

use super::{Cost, pepper};

/// The longest password that bcrypt reads, in bytes. What follows would not count, so a longer
/// password is refused instead of being accepted by its beginning.
const MAX_BCRYPT_BYTES: usize = 72;

/// Length of a bcrypt hash in modular crypt form: `$2b$12$`, 22 characters of salt, 31 of hash.
const HASH_LENGTH: usize = 60;
const VERSION_LENGTH: usize = "$2b$".len();
const COST_LENGTH: usize = "12".len();

/// A bcrypt hash (`$2a$`, `$2b$` or `$2y$`) of a cost that we accept, and how it was made. `Debug`
/// does not show the hash.
///
/// Scheme 1 is bcrypt of the password itself, for hashes that come from elsewhere. Scheme 2 is
/// bcrypt of what a [pepper](super::Peppers) makes of it.
#[derive(Clone, PartialEq, Eq)]
pub struct Credential {
    hash: String,
    cost: Cost,
    /// Scheme 2, with the pepper of this id; without one, scheme 1.
    pepper_id: Option<String>,
}

/// Why a row holds no acceptable credential. Nothing of the hash is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidHash {
    /// Not `$2a$`, `$2b$` or `$2y$`. `$2x$` marks the output of an implementation with a fault.
    #[error("must be a bcrypt hash that begins with $2a$, $2b$ or $2y$")]
    Version,
    /// A cost that is too cheap to accept, or so expensive that it would block the pool.
    #[error("must have a bcrypt cost from 10 to 12")]
    Cost,
    /// Not 60 characters with the cost where it belongs.
    #[error("must be a complete bcrypt hash of 60 characters")]
    Shape,
    /// A character in the salt or the hash that bcrypt's base64 does not have.
    #[error("must have only the characters ./A-Za-z0-9 after its cost")]
    Alphabet,
    /// The last character of the salt or of the hash stands for more bits than there are, and those
    /// that are too many are set. Programs do not agree on what such a salt is, and no hash ends so.
    #[error(
        "must be as bcrypt writes it: the last character of its salt or hash has unused bits set"
    )]
    Padding,
    /// Not scheme 1 without a pepper's id, nor scheme 2 with one.
    #[error("must be scheme 1, or scheme 2 with the id of its pepper")]
    Scheme,
}

impl Credential {
    /// Accepts what a row of `credentials` may hold; `hash` is in modular crypt form.
    pub fn parse(scheme: i16, hash: &str, pepper_id: Option<&str>) -> Result<Self, InvalidHash> {
        match (scheme, pepper_id) {
            (1, None) => {}
            (2, Some(id)) if pepper::is_id(id) => {}
            _ => return Err(InvalidHash::Scheme),
        }
        let cost = parse_hash(hash)?;
        Ok(Self { hash: hash.to_owned(), cost, pepper_id: pepper_id.map(str::to_owned) })
    }

    /// A new hash of scheme 2, of what the pepper made of the password.
    pub(super) fn new(seasoned: &str, cost: Cost, pepper_id: &str) -> Self {
        let hash = bcrypt::hash(seasoned, cost.into())
            .expect("bcrypt fails only for costs that `Cost` excludes");
        Self { hash, cost, pepper_id: Some(pepper_id.to_owned()) }
    }

    /// Whether the hash is that of these bytes, of which bcrypt must be able to read all. Takes the
    /// time of one hash whatever the answer.
    pub(super) fn is_of(&self, input: &str) -> bool {
        bcrypt::verify(input, &self.hash).expect("`parse` has decoded the hash")
    }

    /// Whether bcrypt reads all of these bytes: it stops at a NUL and after 72.
    pub(super) fn bcrypt_reads(input: &str) -> bool {
        input.len() <= MAX_BCRYPT_BYTES && !input.contains('\0')
    }

    /// How the hash was made: 1 or 2.
    #[must_use]
    pub fn scheme(&self) -> i16 {
        if self.pepper_id.is_some() { 2 } else { 1 }
    }

    /// The hash in modular crypt form.
    #[must_use]
    pub fn hash(&self) -> &str {
        &self.hash
    }

    /// The id of the pepper, under scheme 2.
    #[must_use]
    pub fn pepper_id(&self) -> Option<&str> {
        self.pepper_id.as_deref()
    }

    /// The cost of the hash.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }
}

fn parse_hash(text: &str) -> Result<Cost, InvalidHash> {
    let known_version = ["$2a$", "$2b$", "$2y$"].iter().any(|version| text.starts_with(version));
    if !known_version {
        return Err(InvalidHash::Version);
    }
    if text.len() != HASH_LENGTH || !text.is_ascii() {
        return Err(InvalidHash::Shape);
    }
    let (cost, rest) = text[VERSION_LENGTH..].split_once('$').ok_or(InvalidHash::Shape)?;
    if cost.len() != COST_LENGTH {
        return Err(InvalidHash::Shape);
    }
    let cost = Cost::parse(cost).map_err(|_| InvalidHash::Cost)?;
    if !rest.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"./".contains(&byte)) {
        return Err(InvalidHash::Alphabet);
    }
    // Decoded now, so that no verification fails without having done its work.
    HashParts::from_str(text).map_err(|_| InvalidHash::Padding)?;
    Ok(cost)
}

impl fmt::Debug for Credential {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credential")
            .field("scheme", &self.scheme())
            .field("cost", &u32::from(self.cost))
            .field("pepper_id", &self.pepper_id)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "credential_tests.rs"]
mod tests;
