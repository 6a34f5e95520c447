//! Codes: 40 bits that a person can type.

use std::fmt;

use thiserror::Error;
use uuid::Uuid;

use crate::keys::{InvalidKey, MacKey};

/// Crockford's base 32: digits and letters, without those that are taken for others (I, L, O) and
/// without U. Whoever types one of these is understood.
const SYMBOLS: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/// Symbols of a code: 8 × 5 bits.
const LENGTH: usize = 8;

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
        let mac = self.0.mac("code", &[flow.as_bytes(), &number.to_be_bytes()]);
        let bits = mac.iter().take(5).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
        let mut code = [0; LENGTH];
        for (place, symbol) in code.iter_mut().rev().enumerate() {
            *symbol = SYMBOLS[usize::try_from(bits >> (5 * place) & 31).unwrap_or(0)];
        }
        Code(code)
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

/// A code. `Debug` does not show it.
#[derive(Clone, Copy)]
pub struct Code([u8; LENGTH]);

/// What was typed cannot be a code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("a code has {LENGTH} letters and digits")]
pub struct InvalidCode;

impl Code {
    /// Reads what was typed: in either case, with blanks and hyphens wherever they stand.
    pub fn parse(typed: &str) -> Result<Self, InvalidCode> {
        let mut symbols = typed.chars().filter(|it| !it.is_whitespace() && *it != '-').map(|it| {
            match it.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            }
        });
        let mut code = [0; LENGTH];
        for symbol in &mut code {
            let typed = symbols.next().ok_or(InvalidCode)?;
            *symbol = u8::try_from(typed).map_err(|_| InvalidCode)?;
            if !SYMBOLS.contains(symbol) {
                return Err(InvalidCode);
            }
        }
        if symbols.next().is_some() { Err(InvalidCode) } else { Ok(Self(code)) }
    }

    /// As it is shown to its reader, in two groups.
    #[must_use]
    pub fn expose(&self) -> String {
        let text = String::from_utf8_lossy(&self.0);
        let (first, second) = text.split_at(LENGTH / 2);
        format!("{first}-{second}")
    }

    /// Whether both are the same. Takes as long whatever differs.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

#[cfg(test)]
#[path = "code_tests.rs"]
mod tests;
