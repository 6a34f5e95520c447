//! Codes: signs that a person can type, of five bits each.

use std::fmt;

use sha2::{Digest as _, Sha256};
use thiserror::Error;
use uuid::Uuid;

use super::ticket::Ticket;
use super::token::FlowToken;
use crate::keys::{InvalidKey, MacKey};

/// Crockford's base 32: digits and letters, without those that are taken for others (I, L, O) and
/// without U. Whoever types one of these is understood.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// One code of one flow: all that is written down of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CodeNumber {
    /// The flow.
    pub flow: Uuid,
    /// Which of its codes, from 1 on.
    pub number: i32,
}

/// The key that codes are made with.
#[derive(Debug, Clone)]
pub struct CodeKey(MacKey);

impl CodeKey {
    /// Accepts base64 of at least 32 bytes.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        MacKey::parse(text).map(Self)
    }

    /// The code with this number: the first 40 bits of HMAC-SHA-256 over flow and number.
    #[must_use]
    pub fn code(&self, CodeNumber { flow, number }: CodeNumber) -> Code {
        Symbols::of_mac(&self.0.mac("code", &[flow.as_bytes(), &number.to_be_bytes()]))
    }

    /// The code of the invitation with this id: the first 130 bits of HMAC-SHA-256 over it.
    #[must_use]
    pub fn invitation(&self, id: Uuid) -> InvitationCode {
        Symbols::of_mac(&self.0.mac("invitation", &[id.as_bytes()]))
    }

    /// The code by which the change of an address with this id is undone: the first 130 bits of HMAC-SHA-256 over it.
    #[must_use]
    pub fn undo(&self, id: Uuid) -> UndoCode {
        Symbols::of_mac(&self.0.mac("undo", &[id.as_bytes()]))
    }

    /// The token that a flow has once its code was shown. It is computed from the one before, so that the same
    /// code sent twice yields the same; without the key, nobody who knew that one has this one.
    #[must_use]
    pub fn proved(&self, token: &FlowToken) -> FlowToken {
        FlowToken::of_mac(&self.0.mac("proved", &[token.as_bytes()]))
    }

    /// The ticket of a proved flow. It is computed from the flow's token, so that the last page sent twice yields the
    /// same; without the key, nobody who knew the token has it.
    #[must_use]
    pub fn ticket(&self, token: &FlowToken) -> Ticket {
        Ticket::of_mac(&self.0.mac("ticket", &[token.as_bytes()]))
    }

    /// What mail to an address is counted under, without the address. What follows a `+` in the local part
    /// does not count: most providers put all of it into one inbox.
    #[must_use]
    pub fn inbox(&self, email_key: &str) -> [u8; 32] {
        let (local, domain) = email_key.rsplit_once('@').unwrap_or((email_key, ""));
        let local = match local.split_once('+') {
            Some((before, _)) if !before.is_empty() => before,
            _ => local,
        };
        self.0.mac("inbox", &[local.as_bytes(), domain.as_bytes()])
    }
}

/// A code of a flow: 40 bits, for ten minutes and five tries.
pub type Code = Symbols<8>;

/// A code of an invitation: 130 bits, which nobody guesses in the week for which it is good.
pub type InvitationCode = Symbols<26>;

/// A code that undoes the change of an address: as long, for as long.
pub type UndoCode = Symbols<26>;

/// A code of so many signs. `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct Symbols<const N: usize>([u8; N]);

/// What was typed cannot be a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a code has other letters and digits, or another number of them")]
pub struct InvalidCode;

impl<const N: usize> Symbols<N> {
    /// The first bits, five for each sign.
    fn of_mac(mac: &[u8; 32]) -> Self {
        let bit = |n: usize| mac[n / 8] >> (7 - n % 8) & 1;
        let symbol = |place: usize| {
            let number = (0..5).fold(0, |number, n| number << 1 | bit(5 * place + n));
            SYMBOLS[usize::from(number)]
        };
        Self(std::array::from_fn(symbol))
    }

    /// Reads what was typed: in either case, with blanks and hyphens wherever they stand.
    pub fn parse(typed: &str) -> Result<Self, InvalidCode> {
        let mut symbols = typed.chars().filter(|it| !it.is_whitespace() && *it != '-').map(|it| {
            match it.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            }
        });
        let mut code = [0; N];
        for symbol in &mut code {
            let typed = symbols.next().ok_or(InvalidCode)?;
            *symbol = u8::try_from(typed).map_err(|_| InvalidCode)?;
            if !SYMBOLS.contains(symbol) {
                return Err(InvalidCode);
            }
        }
        if symbols.next().is_some() { Err(InvalidCode) } else { Ok(Self(code)) }
    }

    /// As it is shown to its reader, in groups of four.
    #[must_use]
    pub fn expose(&self) -> String {
        let groups: Vec<_> = self.0.chunks(4).map(String::from_utf8_lossy).collect();
        groups.join("-")
    }

    /// As the database knows it, where it has to be looked up: for codes that are too long to be guessed.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.0).into()
    }

    /// Whether both are the same. Takes as long whatever differs.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

impl<const N: usize> fmt::Debug for Symbols<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
