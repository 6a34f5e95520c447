//! What an account is made of. Each type is made by `parse` only, so a value that exists is valid.

use std::fmt;

use caseless::Caseless as _;
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;
use uuid::Uuid;

/// Longest login name, user name or e-mail address, in bytes of UTF-8. RFC 5321 §4.5.3.1.3 leaves
/// 254 for an address; a user name needs no more.
pub const MAX_NAME_BYTES: usize = 254;

/// Longest group name, in bytes of UTF-8.
pub const MAX_GROUP_BYTES: usize = 128;

/// The id of an account: the stable subject that Dex builds `sub` from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountId(Uuid);

impl AccountId {
    /// Parses the hyphenated form.
    pub fn parse(text: &str) -> Result<Self, InvalidAccountId> {
        Uuid::try_parse(text).map(Self).map_err(|_| InvalidAccountId)
    }
}

impl From<Uuid> for AccountId {
    fn from(id: Uuid) -> Self {
        Self(id)
    }
}

impl From<AccountId> for Uuid {
    fn from(id: AccountId) -> Self {
        id.0
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// An id that is no UUID.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an account id is a UUID")]
pub struct InvalidAccountId;

/// Why a name cannot be one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidName {
    /// Nothing but white space.
    #[error("must not be empty")]
    Empty,
    /// Longer than [`MAX_NAME_BYTES`], before or after normalisation.
    #[error("must not be longer than 254 bytes")]
    TooLong,
    /// A control character, NUL among them.
    #[error("must not contain control characters")]
    ControlCharacter,
    /// A user name that could be taken for an address.
    #[error("must not contain @")]
    AtSign,
    /// An address without exactly one `@` between two non-empty parts, or with white space.
    #[error("must be an e-mail address")]
    NotAnAddress,
}

/// What a person types to say who they are: a user name or an e-mail address.
///
/// Two spellings of one name have one [`key`](Self::key). The typed form is not kept, and `Debug`
/// shows nothing: people type passwords into name boxes.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginName {
    key: String,
}

impl LoginName {
    /// Normalises what was typed: trim, NFKC, full case folding.
    pub fn parse(typed: &str) -> Result<Self, InvalidName> {
        normalise(typed).map(|key| Self { key })
    }

    /// The normalised form, unique among user names and among addresses.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

impl fmt::Debug for LoginName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("LoginName(…)")
    }
}

/// The user name of an account, as its owner writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName {
    written: String,
    key: String,
}

impl UserName {
    /// Accepts every name that has a key and cannot be taken for an e-mail address.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let key = normalise(text)?;
        if key.contains('@') {
            return Err(InvalidName::AtSign);
        }
        Ok(Self { written: text.trim().to_owned(), key })
    }

    /// As its owner writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// As it is looked up.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// An e-mail address. Only its outer shape is checked: whether mail arrives, only mail can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    written: String,
    key: String,
}

impl Email {
    /// Accepts `local@domain` without white space.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let key = normalise(text)?;
        let written = text.trim();
        let parts = key.split_once('@').filter(|(local, domain)| {
            !local.is_empty() && !domain.is_empty() && !domain.contains('@')
        });
        if parts.is_none() || written.contains(char::is_whitespace) {
            return Err(InvalidName::NotAnAddress);
        }
        Ok(Self { written: written.to_owned(), key })
    }

    /// As its owner writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// As it is looked up.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Who an account is, as the relying party gets to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The stable subject.
    pub id: AccountId,
    /// The login name.
    pub username: String,
    /// The display name; empty when the account has none.
    pub full_name: String,
    /// The address, if the account has one.
    pub email: Option<String>,
    /// Whether the person proved to own `email`.
    pub email_verified: bool,
    /// Sorted; empty unless they were asked for.
    pub groups: Vec<String>,
    /// The account's epoch when this was read: see [`crate::login::Logins::refresh`].
    pub auth_epoch: i64,
}

fn normalise(text: &str) -> Result<String, InvalidName> {
    if text.len() > MAX_NAME_BYTES {
        return Err(InvalidName::TooLong);
    }
    // Folding can undo NFKC and the other way round; after the second pass nothing moves any more.
    let key: String =
        text.trim().nfkc().default_case_fold().nfkc().default_case_fold().nfkc().collect();
    let key = key.trim();
    if key.is_empty() {
        return Err(InvalidName::Empty);
    }
    if key.len() > MAX_NAME_BYTES {
        return Err(InvalidName::TooLong);
    }
    if key.contains(char::is_control) {
        return Err(InvalidName::ControlCharacter);
    }
    Ok(key.to_owned())
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
