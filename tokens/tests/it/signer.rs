//! Key pairs that sign tokens, whatever header and content they are given.

use std::sync::LazyLock;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, EncodingKey, crypto, jwk::Jwk};
use rcgen::{KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_RSA_SHA256, PublicKeyData};
use serde_json::{Value, json};

/// A key pair under a `kid`.
#[derive(Clone)]
pub(crate) struct Signer {
    pub(crate) kid: &'static str,
    pub(crate) algorithm: Algorithm,
    encoding_key: EncodingKey,
    /// The whole `SubjectPublicKeyInfo`.
    pub(crate) public_pem: String,
    pub(crate) public_der: Vec<u8>,
}

/// Making RSA keys is slow: the tests share these.
pub(crate) static RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa-1"));
pub(crate) static NEW_RSA: LazyLock<Signer> = LazyLock::new(|| Signer::rsa("rsa-2"));
pub(crate) static EC: LazyLock<Signer> = LazyLock::new(|| Signer::ec("ec-1"));
pub(crate) static NEW_EC: LazyLock<Signer> = LazyLock::new(|| Signer::ec("ec-2"));

impl Signer {
    fn rsa(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
        let encoding_key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap();
        Self::new(kid, Algorithm::RS256, encoding_key, &pair)
    }

    fn ec(kid: &'static str) -> Self {
        let pair = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
        let encoding_key = EncodingKey::from_ec_der(&pair.serialize_der());
        Self::new(kid, Algorithm::ES256, encoding_key, &pair)
    }

    fn new(kid: &'static str, algorithm: Algorithm, key: EncodingKey, pair: &KeyPair) -> Self {
        Self {
            kid,
            algorithm,
            encoding_key: key,
            public_pem: pair.public_key_pem(),
            public_der: pair.subject_public_key_info(),
        }
    }

    /// The same pair under another `kid`.
    pub(crate) fn named(&self, kid: &'static str) -> Self {
        Self { kid, ..self.clone() }
    }

    /// As Dex publishes it.
    pub(crate) fn jwk(&self) -> Value {
        let jwk = Jwk::from_encoding_key(&self.encoding_key, self.algorithm).unwrap();
        let mut jwk = serde_json::to_value(jwk).unwrap();
        jwk["kid"] = self.kid.into();
        jwk["use"] = "sig".into();
        jwk["alg"] = self.alg().into();
        jwk
    }

    pub(crate) fn alg(&self) -> String {
        format!("{:?}", self.algorithm)
    }

    /// As Dex writes it.
    pub(crate) fn header(&self) -> Value {
        json!({"alg": self.alg(), "kid": self.kid})
    }

    /// A token with this content, properly signed.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.sign(&self.header(), claims)
    }

    /// A token whose signature is this key's, whatever the header says.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        self.sign_parts(&part(header), &part(claims))
    }

    pub(crate) fn sign_parts(&self, header: &str, payload: &str) -> String {
        let signed = format!("{header}.{payload}");
        let signature =
            crypto::sign(signed.as_bytes(), &self.encoding_key, self.algorithm).unwrap();
        format!("{signed}.{signature}")
    }
}

/// A token with an HMAC of this secret.
pub(crate) fn hs256(secret: &[u8], header: &Value, claims: &Value) -> String {
    let signed = format!("{}.{}", part(header), part(claims));
    let key = EncodingKey::from_secret(secret);
    let signature = crypto::sign(signed.as_bytes(), &key, Algorithm::HS256).unwrap();
    format!("{signed}.{signature}")
}

pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}
