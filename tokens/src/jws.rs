//! The compact form of a signed token: `header.payload.signature` (RFC 7515 §7.1).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, crypto};
use serde::{Deserialize, de::DeserializeOwned};

use crate::{error::Reason, keys::Key};

/// Only what is acted upon. `jku`, `jwk`, `x5u` and `x5c` are not read at all: a token must not say where the key
/// that proves it comes from. `typ` is not read either: Dex writes none that would tell its tokens apart.
#[derive(Deserialize)]
struct Header {
    alg: String,
    kid: Option<String>,
    /// Whatever its value: its presence refuses.
    #[serde(default, deserialize_with = "present")]
    crit: bool,
}

fn present<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    serde::de::IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A token taken apart, nothing of it proven.
pub(crate) struct Jws<'a> {
    /// The algorithm that the header names: one of the accepted ones.
    algorithm: Algorithm,
    /// The key that the header names.
    pub(crate) kid: String,
    signed: &'a str,
    payload: &'a str,
    signature: &'a str,
}

impl<'a> Jws<'a> {
    pub(crate) fn parse(token: &'a str) -> Result<Self, Reason> {
        let (signed, signature) = token.rsplit_once('.').ok_or(Reason::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Reason::Malformed)?;
        let header: Header = json(header)?;
        let algorithm = match header.alg.as_str() {
            "RS256" => Algorithm::RS256,
            "ES256" => Algorithm::ES256,
            _ => return Err(Reason::Algorithm),
        };
        if header.crit {
            return Err(Reason::Critical);
        }
        let kid = header.kid.filter(|kid| !kid.is_empty()).ok_or(Reason::NoKeyId)?;
        Ok(Self { algorithm, kid, signed, payload, signature })
    }

    /// Checks the signature with `key` and hands out the payload. The algorithm is the key's, never the header's:
    /// the header must merely agree.
    pub(crate) fn verify<T: DeserializeOwned>(&self, key: &Key) -> Result<T, Reason> {
        if self.algorithm != key.algorithm() {
            return Err(Reason::Algorithm);
        }
        let fits =
            crypto::verify(self.signature, self.signed.as_bytes(), key.public(), key.algorithm());
        if !fits.unwrap_or(false) {
            return Err(Reason::Signature);
        }
        json(self.payload)
    }
}

fn json<T: DeserializeOwned>(part: &str) -> Result<T, Reason> {
    let bytes = URL_SAFE_NO_PAD.decode(part).map_err(|_| Reason::Malformed)?;
    serde_json::from_slice(&bytes).map_err(|_| Reason::Malformed)
}
