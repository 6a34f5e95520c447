//! An issuer of tokens over HTTP, for what needs tokens that Dex would not make: of any person and
//! with any claims, thousands of them or faulty ones.

use std::sync::LazyLock;

use anyhow::{Context as _, Result};
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The `kid` of the one key.
const KEY_ID: &str = "devstack";

/// Making RSA keys is slow: all issuers of a process share this one.
static KEY: LazyLock<EncodingKey> = LazyLock::new(|| {
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).expect("an RSA key can be made");
    EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).expect("what was made is read")
});

/// Serves discovery and keys for as long as it lives.
pub struct Issuer {
    url: String,
    public: Value,
    _serving: JoinSet<()>,
}

impl Issuer {
    /// Serves on a port of this machine.
    #[expect(clippy::disallowed_methods, reason = "only one process asks it")]
    pub async fn start() -> Result<Self> {
        let mut public = serde_json::to_value(Jwk::from_encoding_key(&KEY, Algorithm::RS256)?)?;
        public["kid"] = KEY_ID.into();
        public["use"] = "sig".into();
        public["alg"] = "RS256".into();
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.context("no port")?;
        let url = format!("http://{}/dex", listener.local_addr()?);
        let discovery = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/keys"),
            "authorization_endpoint": format!("{url}/auth"),
            "token_endpoint": format!("{url}/token"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        let keys = json!({ "keys": [public] });
        let router = Router::new()
            .route("/dex/.well-known/openid-configuration", get(async || Json(discovery)))
            .route("/dex/keys", get(async || Json(keys)));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            // It ends with the issuer.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, public, _serving: serving })
    }

    /// What its tokens name as their issuer.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The public key as a JWK.
    #[must_use]
    pub fn public(&self) -> &Value {
        &self.public
    }

    /// A token with these claims, and the issuer's name.
    pub fn sign(&self, mut claims: Value) -> Result<String> {
        claims["iss"] = self.url.as_str().into();
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(KEY_ID.to_owned());
        Ok(jsonwebtoken::encode(&header, &claims, &KEY)?)
    }
}
