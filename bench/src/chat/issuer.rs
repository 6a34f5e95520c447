//! An issuer of the bench's own: discovery, one key, and tokens as Dex makes them.

use std::path::Path;

use anyhow::{Context as _, Result};
use auth_connector::app::system_clock;
use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::ceilings::AUDIENCE;

/// How long tokens live: longer than any benchmark.
const LIFE_SECONDS: i64 = 12 * 60 * 60;

/// Serves for as long as it lives.
pub(super) struct Issuer {
    url: String,
    key: EncodingKey,
    public: Value,
    _serving: JoinSet<()>,
}

impl Issuer {
    pub(super) async fn start() -> Result<Self> {
        let pair = KeyPair::generate_for(&PKCS_RSA_SHA256)?;
        let key = EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes())?;
        let mut public = serde_json::to_value(Jwk::from_encoding_key(&key, Algorithm::RS256)?)?;
        public["kid"] = "bench".into();
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
        Ok(Self { url, key, public, _serving: serving })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// A token each for so many people.
    pub(super) fn tokens(&self, people: usize) -> Result<Vec<String>> {
        let now = system_clock().timestamp();
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("bench".to_owned());
        let token = |n: usize| {
            let claims = json!({
                "iss": self.url, "sub": format!("person-{n:06}"), "aud": AUDIENCE,
                "azp": "chat-app-frontend", "exp": now + LIFE_SECONDS, "iat": now,
                "name": format!("Person {n:06}"),
            });
            Ok(jsonwebtoken::encode(&header, &claims, &self.key)?)
        };
        (0..people).map(token).collect()
    }

    /// Writes the public key as a JWK.
    pub(super) fn write_key(&self, file: &Path) -> Result<()> {
        std::fs::write(file, self.public.to_string()).context("the key cannot be written")
    }
}
