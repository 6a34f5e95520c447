//! Telephone numbers.

use thiserror::Error;

/// A telephone number in the form of E.164. Whether anybody answers there, nobody has looked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phone(String);

/// What becomes of the telephone number of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum PhoneChange<T> {
    /// It stays.
    #[default]
    Stays,
    /// It goes: there is none any more.
    Goes,
    /// It is this from now on.
    Is(T),
}

/// What was typed is no telephone number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "must be +, the country and the number, 7 to 15 digits without blanks, such as +493012345678"
)]
pub struct InvalidPhone;

impl Phone {
    /// Accepts `+` and 7 to 15 digits, the first of which is not 0 (ITU-T E.164 §6.2; no country has shorter ones).
    pub fn parse(text: &str) -> Result<Self, InvalidPhone> {
        let digits = text.strip_prefix('+').ok_or(InvalidPhone)?;
        let is_one = (7..=15).contains(&digits.len())
            && digits.bytes().all(|digit| digit.is_ascii_digit())
            && !digits.starts_with('0');
        if is_one { Ok(Self(text.to_owned())) } else { Err(InvalidPhone) }
    }

    /// As it is written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}
