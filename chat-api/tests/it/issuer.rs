//! An issuer over HTTP with a key of its own.

use std::sync::LazyLock;

use axum::routing::get;
use axum::{Json, Router};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use tokio::net::TcpListener;

/// Making RSA keys is slow: the tests share this one.
static KEY: LazyLock<EncodingKey> = LazyLock::new(|| {
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).unwrap();
    EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).unwrap()
});

pub(crate) struct Issuer {
    pub(crate) url: String,
}

impl Issuer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let origin = format!("http://{}", listener.local_addr().unwrap());
        let url = format!("{origin}/dex");
        let discovery = json!({
            "issuer": url,
            "jwks_uri": format!("{url}/keys"),
            "authorization_endpoint": format!("{url}/auth"),
            "token_endpoint": format!("{url}/token"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["public"],
            "id_token_signing_alg_values_supported": ["RS256"],
        });
        let mut key =
            serde_json::to_value(Jwk::from_encoding_key(&KEY, Algorithm::RS256).unwrap()).unwrap();
        key["kid"] = "test".into();
        key["use"] = "sig".into();
        key["alg"] = "RS256".into();
        let keys = json!({ "keys": [key] });
        let router = Router::new()
            .route("/dex/.well-known/openid-configuration", get(async || Json(discovery)))
            .route("/dex/keys", get(async || Json(keys)));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url }
    }

    /// A token as Dex makes them, with some claims changed.
    pub(crate) fn token_with(&self, subject: &str, changes: &Value) -> String {
        let now = chrono::Utc::now().timestamp();
        let mut claims = json!({
            "iss": self.url, "sub": subject, "aud": "chat-api", "azp": "chat-app-frontend",
            "exp": now + 600, "iat": now, "name": format!("Name of {subject}"),
        });
        for (name, value) in changes.as_object().unwrap() {
            claims[name] = value.clone();
        }
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some("test".to_owned());
        jsonwebtoken::encode(&header, &claims, &KEY).unwrap()
    }

    pub(crate) fn token(&self, subject: &str) -> String {
        self.token_with(subject, &json!({}))
    }

    /// A token that expires so many seconds from now.
    pub(crate) fn token_until(&self, subject: &str, seconds: i64) -> String {
        self.token_with(subject, &json!({ "exp": chrono::Utc::now().timestamp() + seconds }))
    }
}
