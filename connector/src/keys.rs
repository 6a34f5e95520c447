//! Secret keys that come from files.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretSlice};
use sha2::Sha256;
use thiserror::Error;

/// Fewest bytes of a key. 256 bits are beyond guessing, and RFC 2104 §3 asks for no less than the
/// length of a hash.
const MIN_BYTES: usize = 32;

/// Tools disagree about the padding at the end, and it says nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Why a text is no key. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidKey {
    /// Not base64 of the standard alphabet (RFC 4648 §4) in one piece.
    #[error("must be base64")]
    Encoding,
    /// Too short to be a secret.
    #[error("must be at least {MIN_BYTES} bytes long, before base64")]
    Length,
}

/// Decodes a key.
pub(crate) fn decode(text: &str) -> Result<SecretSlice<u8>, InvalidKey> {
    let bytes = BASE64.decode(text).map_err(|_| InvalidKey::Encoding)?;
    if bytes.len() < MIN_BYTES {
        return Err(InvalidKey::Length);
    }
    Ok(bytes.into())
}

/// Encodes with padding, in the standard alphabet.
pub(crate) fn encode(bytes: &[u8]) -> String {
    BASE64.encode(bytes)
}

/// Makes what was typed unrecognisable to whoever does not have this key, and still comparable.
#[derive(Debug, Clone)]
pub struct MacKey(SecretSlice<u8>);

impl MacKey {
    /// Accepts base64 of at least 32 bytes. White space around it does not count.
    pub fn parse(text: &str) -> Result<Self, InvalidKey> {
        decode(text.trim()).map(Self)
    }

    /// HMAC-SHA-256 (RFC 2104) of the parts, for one purpose: another `domain` yields another code.
    ///
    /// # Panics
    /// Never: HMAC takes keys of any length.
    #[must_use]
    pub fn mac(&self, domain: &str, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = Hmac::<Sha256>::new_from_slice(self.0.expose_secret())
            .expect("HMAC takes keys of any length");
        for part in std::iter::once(&domain.as_bytes()).chain(parts) {
            // With its length before it, no part can pass for the end of another.
            mac.update(&(part.len() as u64).to_be_bytes());
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

/// What a typed name is known by to those who must not see it: a keyed code of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct NameKey([u8; 32]);

impl NameKey {
    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<[u8; 32]> for NameKey {
    fn from(code: [u8; 32]) -> Self {
        Self(code)
    }
}

impl From<NameKey> for [u8; 32] {
    fn from(key: NameKey) -> Self {
        key.0
    }
}

#[cfg(test)]
#[path = "keys_tests.rs"]
mod tests;
