//! An issuer of tokens over HTTP, for what needs tokens that Dex would not make: of any person and
//! with any claims, thousands of them or faulty ones.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{get, post};
use axum::{Form, Json, Router};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header};
use rcgen::{KeyPair, PKCS_RSA_SHA256};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

/// The `kid` of the one key.
const KEY_ID: &str = "devstack";

/// Making RSA keys is slow: all issuers of a process share this one.
static KEY: LazyLock<EncodingKey> = LazyLock::new(|| {
    let pair = KeyPair::generate_for(&PKCS_RSA_SHA256).expect("an RSA key can be made");
    EncodingKey::from_rsa_pem(pair.serialize_pem().as_bytes()).expect("what was made is read")
});

/// Serves discovery, keys and tokens for codes for as long as it lives.
pub struct Issuer {
    url: String,
    public: Value,
    codes: Codes,
    _serving: JoinSet<()>,
}

type Codes = Arc<Mutex<HashMap<String, Grant>>>;

/// What a code is good for, once.
struct Grant {
    /// The challenge that the verifier has to fit (RFC 7636 §4.6, S256).
    challenge: String,
    id_token: String,
}

/// The secret of every confidential client.
pub const CLIENT_SECRET: &str = "an issuer's client secret";

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
        let codes = Codes::default();
        let router = Router::new()
            .route("/dex/.well-known/openid-configuration", get(async || Json(discovery)))
            .route("/dex/keys", get(async || Json(keys)))
            .route("/dex/token", post(exchange).with_state(Arc::clone(&codes)));
        let mut serving = JoinSet::new();
        serving.spawn(async move {
            // It ends with the issuer.
            let _ = axum::serve(listener, router).await;
        });
        Ok(Self { url, public, codes, _serving: serving })
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

    /// Lets a code be exchanged once, by whoever has the verifier of this challenge, for an ID token with these claims.
    pub fn grant(&self, code: &str, challenge: &str, claims: Value) -> Result<()> {
        let grant = Grant { challenge: challenge.to_owned(), id_token: self.sign(claims)? };
        let mut codes = self.codes.lock().unwrap_or_else(PoisonError::into_inner);
        codes.insert(code.to_owned(), grant);
        Ok(())
    }

    /// A token with these claims, and the issuer's name unless they have one.
    pub fn sign(&self, mut claims: Value) -> Result<String> {
        if claims["iss"].is_null() {
            claims["iss"] = self.url.as_str().into();
        }
        let mut header = Header::new(Algorithm::RS256);
        header.kid = Some(KEY_ID.to_owned());
        Ok(jsonwebtoken::encode(&header, &claims, &KEY)?)
    }
}

/// The token endpoint (RFC 6749 §4.1.3), for clients that show [`CLIENT_SECRET`] as HTTP Basic has it.
async fn exchange(
    State(codes): State<Codes>,
    headers: HeaderMap,
    Form(form): Form<HashMap<String, String>>,
) -> (StatusCode, Json<Value>) {
    let refused = |status, error| (status, Json(json!({ "error": error })));
    let shown = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let shown = shown.and_then(|value| STANDARD.decode(value.strip_prefix("Basic ")?).ok());
    let shown = shown.and_then(|pair| String::from_utf8(pair).ok()).unwrap_or_default();
    let secret: String = url::form_urlencoded::byte_serialize(CLIENT_SECRET.as_bytes()).collect();
    if shown.split_once(':').is_none_or(|(_, shown)| shown != secret) {
        return refused(StatusCode::UNAUTHORIZED, "invalid_client");
    }
    let code = form.get("code").map(String::as_str).unwrap_or_default();
    let grant = codes.lock().unwrap_or_else(PoisonError::into_inner).remove(code);
    let verifier = form.get("code_verifier").map(String::as_str).unwrap_or_default();
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(verifier));
    match grant.filter(|grant| grant.challenge == challenge) {
        Some(Grant { id_token, .. }) => {
            let tokens = json!({
                "access_token": "not looked at", "token_type": "bearer",
                "expires_in": 900, "id_token": id_token,
            });
            (StatusCode::OK, Json(tokens))
        }
        None => refused(StatusCode::BAD_REQUEST, "invalid_grant"),
    }
}
