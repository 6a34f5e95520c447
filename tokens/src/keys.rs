//! The issuer's public keys (RFC 7517).

use std::{collections::HashMap, sync::Arc};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{
    Algorithm, DecodingKey,
    jwk::{AlgorithmParameters, EllipticCurve, Jwk, KeyAlgorithm, KeyOperations, PublicKeyUse},
};
use serde::Deserialize;

/// NIST SP 800-131A: shorter RSA keys are disallowed.
const MIN_RSA_BITS: usize = 2048;

/// One public key that may verify tokens.
pub(crate) struct Key {
    algorithm: Algorithm,
    public: DecodingKey,
    jwk: Jwk,
}

/// Two keys are equal when the issuer published the same for both.
impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.jwk == other.jwk
    }
}

impl Key {
    /// The one algorithm that this key verifies: it follows from the key's type, not from any token.
    pub(crate) fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    pub(crate) fn public(&self) -> &DecodingKey {
        &self.public
    }

    /// `Err` says why the key is not used.
    fn parse(jwk: Jwk) -> Result<Self, &'static str> {
        if jwk.common.public_key_use.as_ref().is_some_and(|it| *it != PublicKeyUse::Signature) {
            return Err("it is not meant for signatures");
        }
        let operations = jwk.common.key_operations.as_ref();
        if operations.is_some_and(|them| !them.contains(&KeyOperations::Verify)) {
            return Err("it is not meant for verifying");
        }
        let algorithm = match &jwk.algorithm {
            AlgorithmParameters::RSA(rsa) if rsa_bits(&rsa.n) >= MIN_RSA_BITS => Algorithm::RS256,
            AlgorithmParameters::RSA(_) => return Err("it is an RSA key of less than 2048 bits"),
            AlgorithmParameters::EllipticCurve(point) if point.curve == EllipticCurve::P256 => {
                Algorithm::ES256
            }
            _ => return Err("its type is not supported"),
        };
        if jwk.common.key_algorithm.is_some_and(|named| named != KeyAlgorithm::from(algorithm)) {
            return Err("it is meant for another algorithm");
        }
        let public = DecodingKey::from_jwk(&jwk).map_err(|_| "it cannot be decoded")?;
        Ok(Self { algorithm, public, jwk })
    }
}

fn rsa_bits(modulus: &str) -> usize {
    let bytes = URL_SAFE_NO_PAD.decode(modulus).unwrap_or_default();
    let significant = bytes.iter().skip_while(|byte| **byte == 0);
    significant
        .clone()
        .next()
        .map_or(0, |first| significant.count() * 8 - first.leading_zeros() as usize)
}

/// The keys of one answer of the issuer, by `kid`.
pub(crate) type KeysById = HashMap<String, Arc<Key>>;

#[derive(Deserialize)]
struct Document {
    keys: Vec<serde_json::Value>,
}

/// Reads a JWK set. Keys that cannot be used are left out with a word in the log, so that one odd key does not lock
/// everybody out; of two with one `kid` the first counts.
pub(crate) fn parse(document: &[u8]) -> Result<KeysById, serde_json::Error> {
    let mut keys = KeysById::new();
    for value in serde_json::from_slice::<Document>(document)?.keys {
        let parsed = serde_json::from_value::<Jwk>(value).map_err(|_| "it cannot be read");
        let kid = parsed.as_ref().ok().and_then(|jwk| jwk.common.key_id.clone());
        let unused = match (kid.clone(), parsed.and_then(Key::parse)) {
            (_, Err(why)) => why,
            (None, Ok(_)) => "it has no kid",
            (Some(kid), Ok(_)) if keys.contains_key(&kid) => "another key has its kid",
            (Some(kid), Ok(key)) => {
                keys.insert(kid, Arc::new(key));
                continue;
            }
        };
        tracing::warn!(?kid, why = unused, "a key of the issuer is not used");
    }
    Ok(keys)
}
