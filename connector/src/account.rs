//! What an account is made of. Each type is made by `parse` only, so a value that exists is valid.

mod phone;
mod spelling;

use std::fmt;

use thiserror::Error;
use uuid::Uuid;

pub use phone::{InvalidPhone, Phone, PhoneChange};
pub use spelling::InvalidName;

/// Longest login name, user name or e-mail address, in bytes of UTF-8. RFC 5321 §4.5.3.1.3 leaves
/// 254 for an address; a user name needs no more.
pub const MAX_NAME_BYTES: usize = 254;

/// Longest group name, in bytes of UTF-8.
pub const MAX_GROUP_BYTES: usize = 128;

/// The id of an account: the stable subject that Dex builds `sub` from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct AccountId(Uuid);

impl AccountId {
    /// Parses the one form that is ever written: lower case, with hyphens. A parser of UUIDs takes
    /// other forms too, and whoever keeps ids as text would have two for one account.
    pub fn parse(text: &str) -> Result<Self, InvalidAccountId> {
        let id = Uuid::try_parse(text).map(Self).map_err(|_| InvalidAccountId)?;
        if id.to_string() == text { Ok(id) } else { Err(InvalidAccountId) }
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

/// An id that is no UUID in the form that we write.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("an account id is a UUID in lower case with hyphens")]
pub struct InvalidAccountId;

/// What a person types to say who they are: a user name or an e-mail address.
///
/// Two spellings of one name have one [`key`](Self::key). The typed form is not kept, and `Debug`
/// shows nothing: people type passwords into name boxes.
#[derive(Clone, PartialEq, Eq)]
pub struct LoginName {
    key: String,
}

impl LoginName {
    /// Normalises what was typed: without white space around it and without what does not show, NFKC,
    /// full case folding; the domain of an address in its ASCII form.
    pub fn parse(typed: &str) -> Result<Self, InvalidName> {
        normalise(typed).map(|(_, key)| Self { key })
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

/// The user name of an account, in NFKC and otherwise as its owner writes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserName {
    written: String,
    key: String,
}

impl UserName {
    /// Accepts every name that has a key, shows what it is and cannot be taken for an e-mail address.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        spelling::check_shown(text.trim())?;
        let (written, key) = normalise(text)?;
        if key.contains('@') {
            return Err(InvalidName::AtSign);
        }
        spelling::check_new(&written)?;
        Ok(Self { written, key })
    }
}

/// An e-mail address, its domain in the ASCII form. Whether mail arrives, only mail can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Email {
    written: String,
    key: String,
}

impl Email {
    /// Accepts `local@domain` without white space, whose local part shows what it is and whose domain
    /// can be one (UTS #46).
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        spelling::check_shown(text.trim())?;
        let (plain, key) = normalise(text)?;
        let (local, domain) = parts(&plain).ok_or(InvalidName::NotAnAddress)?;
        if local.is_empty() || plain.contains(char::is_whitespace) {
            return Err(InvalidName::NotAnAddress);
        }
        spelling::check_new(local)?;
        Ok(Self { written: format!("{local}@{}", spelling::ascii_domain(domain)?), key })
    }
}

/// How a name is spelt: both forms are made by its `parse`.
macro_rules! spelt {
    ($($name:ty),+) => {$(
        impl $name {
            /// As its owner writes it; the domain of an address in its ASCII form.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.written
            }

            /// As it is looked up: unique among the accounts.
            #[must_use]
            pub fn key(&self) -> &str {
                &self.key
            }
        }
    )+};
}

spelt!(UserName, Email);

/// Who an account is, as the relying party gets to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The stable subject.
    pub id: AccountId,
    /// The user name, if the account has one.
    pub username: Option<String>,
    /// The display name; empty when the account has none.
    pub full_name: String,
    /// The address, if the account has one.
    pub email: Option<String>,
    /// Whether the person proved to own `email`.
    pub email_verified: bool,
    /// Sorted; empty unless they were asked for.
    pub groups: Vec<String>,
    /// The account's epoch when this was read: see [`crate::login::Renewals::refresh`].
    pub auth_epoch: i64,
}

impl Identity {
    /// The identity with its groups if they are `wanted`, else without. Groups are always read, so
    /// that nothing has to be read once somebody is let in.
    #[must_use]
    pub fn with_groups_if(mut self, wanted: bool) -> Self {
        if !wanted {
            self.groups.clear();
        }
        self
    }
}

/// A display name, in any script. White space around it does not count, so that one of nothing else is
/// none.
pub(crate) fn parse_full_name(text: &str) -> Result<String, String> {
    let text = text.trim();
    let is_of_one_line =
        !text.contains(|c: char| c.is_control() || matches!(c, '\u{2028}' | '\u{2029}'));
    if text.len() > MAX_NAME_BYTES || !is_of_one_line || spelling::turns(text) {
        return Err(format!(
            "must be at most {MAX_NAME_BYTES} bytes without control characters and marks that turn the \
             direction of writing"
        ));
    }
    Ok(text.to_owned())
}

/// Whether these can be the names of groups.
pub(crate) fn check_groups(names: &[String]) -> Result<(), String> {
    let unusable = |name: &String| {
        name.trim().is_empty() || name.len() > MAX_GROUP_BYTES || name.contains(char::is_control)
    };
    if names.iter().any(unusable) {
        return Err(format!(
            "must be names of 1 to {MAX_GROUP_BYTES} bytes that are not blank and have no control \
             characters"
        ));
    }
    Ok(())
}

/// The plain form of a name, and what it is looked up by.
fn normalise(text: &str) -> Result<(String, String), InvalidName> {
    if text.len() > MAX_NAME_BYTES {
        return Err(InvalidName::TooLong);
    }
    let plain = spelling::plain(text)?;
    let key = match parts(&plain) {
        Some((local, domain)) => {
            format!("{}@{}", spelling::folded(local), spelling::ascii_domain(domain)?)
        }
        None => spelling::folded(&plain),
    };
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
    Ok((plain.trim().to_owned(), key.to_owned()))
}

/// The two parts of what looks like an address: around its only `@`.
fn parts(plain: &str) -> Option<(&str, &str)> {
    plain.split_once('@').filter(|(_, domain)| !domain.contains('@'))
}

#[cfg(test)]
#[path = "account_tests.rs"]
mod tests;
