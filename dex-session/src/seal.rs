//! Sealing what a browser keeps for us, so that it can neither be read nor changed there, and is good for nothing else than
//! what it was made for.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::aead::{AES_256_GCM_SIV, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use secrecy::{ExposeSecret as _, SecretSlice};
use service_process::sources::Sources;
use thiserror::Error;

/// Tools disagree about the padding at the end of base64, and it says nothing.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Bytes of a key: AES-256.
const KEY_BYTES: usize = 32;

/// The longest id of a key. It stands before everything that the key sealed.
const MAX_ID_BYTES: usize = 32;

/// Seals and opens with AES-256-GCM-SIV (RFC 8452), by the first of its keys; the others open what they sealed. With this
/// cipher a number used once that is used twice shows that two texts are equal and nothing else, so that random numbers of
/// 96 bits are good for as long as a key is used; under plain GCM they would be used up after 2^32 seals.
#[derive(Clone)]
pub struct Sealer(Arc<[SealKey]>);

struct SealKey {
    id: String,
    key: LessSafeKey,
}

/// What something is sealed for. Who opens it has to name the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding<'a> {
    /// What it is used as.
    pub purpose: &'a str,
    /// The client at Dex that it belongs to.
    pub client_id: &'a str,
    /// Whom it is about, if whoever opens it knows that by then; else empty.
    pub subject: &'a str,
}

/// Why a text has no keys to seal with. The text itself is not repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidSealKeys {
    /// There is no line with a key.
    #[error("it has no key")]
    Empty,
    /// A line is not `id:base64`.
    #[error(
        "line {0} is not id:base64, with an id of 1 to 32 letters, digits, hyphens and underscores"
    )]
    Line(usize),
    /// The key of a line is not 32 bytes long.
    #[error("the key in line {0} is not 32 bytes long, before base64")]
    Length(usize),
    /// Two keys have one id, so that one of them would open nothing.
    #[error("the id in line {0} is that of another line, too")]
    Twice(usize),
}

impl Sealer {
    /// Reads keys, one `id:base64` of 32 bytes a line. The first one seals. To replace it, first add another one as the last
    /// line, everywhere; then move that up. Nobody is signed out, and the old one may go when what it sealed is over.
    pub fn parse(text: &str) -> Result<Self, InvalidSealKeys> {
        let mut keys: Vec<SealKey> = Vec::new();
        let lines = text.lines().map(str::trim).zip(1..).filter(|(line, _)| !line.is_empty());
        for (line, number) in lines {
            let (id, key) = line.split_once(':').ok_or(InvalidSealKeys::Line(number))?;
            let is_id = |byte: u8| byte.is_ascii_alphanumeric() || b"-_".contains(&byte);
            if !(1..=MAX_ID_BYTES).contains(&id.len()) || !id.bytes().all(is_id) {
                return Err(InvalidSealKeys::Line(number));
            }
            let bytes = BASE64.decode(key.trim()).map_err(|_| InvalidSealKeys::Line(number))?;
            let bytes = SecretSlice::<u8>::from(bytes);
            if bytes.expose_secret().len() != KEY_BYTES {
                return Err(InvalidSealKeys::Length(number));
            }
            if keys.iter().any(|known| known.id == id) {
                return Err(InvalidSealKeys::Twice(number));
            }
            let key = UnboundKey::new(&AES_256_GCM_SIV, bytes.expose_secret());
            let key = key.map_err(|_| InvalidSealKeys::Length(number))?;
            keys.push(SealKey { id: id.to_owned(), key: LessSafeKey::new(key) });
        }
        if keys.is_empty() { Err(InvalidSealKeys::Empty) } else { Ok(Self(keys.into())) }
    }

    /// The id of the key that seals.
    #[must_use]
    pub fn current_id(&self) -> &str {
        &self.0[0].id
    }

    /// Seals for this binding: `id.base64url`, which a cookie can hold.
    ///
    /// # Panics
    /// When it is more than the cipher can seal at once, 64 GiB.
    #[must_use]
    pub fn seal(&self, binding: Binding<'_>, text: &[u8], sources: Sources) -> String {
        let SealKey { id, key } = &self.0[0];
        let nonce = nonce(sources);
        let mut sealed = text.to_vec();
        let aad = Aad::from(binding.bytes());
        key.seal_in_place_append_tag(Nonce::assume_unique_for_key(nonce), aad, &mut sealed)
            .expect("a cookie is short");
        format!("{id}.{}", URL_SAFE_NO_PAD.encode([&nonce[..], &sealed].concat()))
    }

    /// What was sealed for this binding. `None`: by a key that is none of ours, for something else, or it was changed; which,
    /// is not said. Whoever brings it is signed out, and that is all.
    #[must_use]
    pub fn open(&self, binding: Binding<'_>, sealed: &str) -> Option<Vec<u8>> {
        let (id, sealed) = sealed.split_once('.')?;
        let SealKey { key, .. } = self.0.iter().find(|key| key.id == id)?;
        let mut sealed = URL_SAFE_NO_PAD.decode(sealed).ok()?;
        let (nonce, text) = sealed.split_at_mut_checked(NONCE_LEN)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let text = key.open_in_place(nonce, Aad::from(binding.bytes()), text).ok()?;
        Some(text.to_vec())
    }
}

impl Binding<'_> {
    /// As the cipher takes it: with its length before it, no part can pass for another.
    fn bytes(&self) -> Vec<u8> {
        let parts = ["dex-session", self.purpose, self.client_id, self.subject];
        let length = |part: &str| (part.len() as u64).to_be_bytes();
        parts.iter().flat_map(|part| [&length(part)[..], part.as_bytes()].concat()).collect()
    }
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|key| &key.id)).finish()
    }
}

/// A number that nobody can guess, and that will hardly come again.
fn nonce(sources: Sources) -> [u8; NONCE_LEN] {
    let (first, second) = ((sources.random)(), (sources.random)());
    std::array::from_fn(|n| first.get(n).copied().unwrap_or_else(|| second[n - first.len()]))
}

#[cfg(test)]
#[path = "seal_tests.rs"]
mod tests;
