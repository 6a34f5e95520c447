//! Which new passwords are taken: NIST SP 800-63B-4 §3.1.1.2. Nothing is asked of their composition, because
//! that makes them worse.

use std::sync::Arc;

use caseless::Caseless as _;
use secrecy::{ExposeSecret as _, SecretString};
use thiserror::Error;
use unicode_normalization::UnicodeNormalization as _;

/// Longest password that is looked at, in bytes. NIST SP 800-63B-4 §3.1.1.2 asks for at least 64
/// characters; 1,024 leave room for a passphrase in any script.
pub const MAX_PASSWORD_BYTES: usize = 1024;

/// What a login ticket begins with. A ticket comes in where a password is typed, so no password may
/// begin with it.
pub const TICKET_PREFIX: &str = "lat1_";

/// Characters that have to be left when all is taken out that anybody knows of its owner: the least that NIST
/// allows for any password.
const LEAST_OF_ITS_OWN: usize = 8;

/// Words with fewer characters than this may be in a password by chance.
const SHORTEST_WORD: usize = 4;

/// What is asked of a new password.
#[derive(Debug, Clone, Copy)]
pub struct PasswordRules {
    /// Its least length, in characters as they are after NFKC.
    pub least: usize,
}

/// A new password that is taken. `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct NewPassword(Arc<SecretString>);

/// Why a new password is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum UnfitPassword {
    /// It is shorter than this.
    #[error("must have at least {0} characters")]
    TooShort(usize),
    /// More than [`MAX_PASSWORD_BYTES`].
    #[error("must not be longer than {MAX_PASSWORD_BYTES} bytes")]
    TooLong,
    /// Little of it is not the address or the name of its owner.
    #[error("must not consist of your address or your name")]
    OfItsOwner,
    /// It is among the first that anybody tries.
    #[error("must not be one that others would guess")]
    Common,
    /// It was stolen somewhere, and who steals tries it elsewhere.
    #[error("must not be one that is known from a theft")]
    Breached,
    /// It looks like a ticket.
    #[error("must not begin with {TICKET_PREFIX}")]
    Ticket,
}

impl PasswordRules {
    /// Takes a password of somebody of whom these words are known.
    pub fn check(&self, typed: SecretString, words: &[&str]) -> Result<NewPassword, UnfitPassword> {
        let text = typed.expose_secret();
        if text.len() > MAX_PASSWORD_BYTES {
            return Err(UnfitPassword::TooLong);
        }
        if text.nfkc().count() < self.least {
            return Err(UnfitPassword::TooShort(self.least));
        }
        if text.starts_with(TICKET_PREFIX) {
            return Err(UnfitPassword::Ticket);
        }
        let mut own = SecretString::from(folded(text));
        for word in words.iter().map(|word| folded(word)) {
            if word.chars().count() >= SHORTEST_WORD {
                own = own.expose_secret().replace(&word, "").into();
            }
        }
        if own.expose_secret().chars().count() < LEAST_OF_ITS_OWN {
            return Err(UnfitPassword::OfItsOwner);
        }
        Ok(NewPassword(Arc::new(typed)))
    }
}

impl NewPassword {
    /// As it was typed.
    #[must_use]
    pub fn as_secret(&self) -> &SecretString {
        &self.0
    }
}

impl From<NewPassword> for Arc<SecretString> {
    fn from(NewPassword(password): NewPassword) -> Self {
        password
    }
}

fn folded(text: &str) -> String {
    text.chars().nfkc().default_case_fold().collect()
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
