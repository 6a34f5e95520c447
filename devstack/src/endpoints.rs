//! `.dev/endpoints.json`: where everything is, for people, for the demo and for scripts.

use std::path::Path;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use url::Url;

use crate::name;
use crate::secrets::write_private;

/// The SPA's client at Dex.
pub const CLIENT_ID: &str = "chat-app-frontend";

/// What the SPA asks for; the last scope puts the chat API into the token's audience. Groups are not
/// among it: nothing there uses them, and each makes every token longer.
pub const SCOPES: &str = "openid profile email offline_access audience:server:client_id:chat-api";

/// A person who can sign in.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct DemoUser {
    /// The user name.
    pub login: String,
    /// The password, in plain text.
    pub password: String,
}

/// The addresses of a running stack.
#[derive(Clone, Debug, Serialize, Deserialize, PartialEq, Eq)]
pub struct Endpoints {
    /// A complete authorization request: open it in a browser to sign in.
    pub sign_in_url: String,
    /// Dex's issuer.
    pub dex_issuer: String,
    /// Where Dex sends the browser back to: the SPA's callback.
    pub redirect_uri: String,
    /// The chat API, without `/v1`: the first replica.
    pub chat_api: String,
    /// Every replica of the chat API.
    pub chat_replicas: Vec<String>,
    /// The connector's gRPC address (`host:port`), when Local Accounts are on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connector_grpc: Option<String>,
    /// Where browsers find the app, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// Where browsers find the accounts pages, when Local Accounts are on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accounts: Option<String>,
    /// The DSN of the database `accounts`.
    pub postgres: String,
    /// The bootstrap brokers.
    pub kafka: String,
    /// What stands before each topic's name.
    pub kafka_topic_prefix: String,
    /// The replica set.
    pub mongodb: String,
    /// The chat archive's database there.
    pub mongodb_database: String,
    /// The mail sink's inbox, when there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// People with a Local Account; none when Local Accounts are off.
    pub demo_users: Vec<DemoUser>,
    /// The person in Dex's own list, behind "Email"; the login is an e-mail address.
    pub email_user: DemoUser,
}

impl Endpoints {
    /// Reads the addresses from a file.
    pub fn read(path: &Path) -> Result<Self> {
        let text = std::fs::read_to_string(path)
            .with_context(|| format!("{} cannot be read: run ./dev up", path.display()))?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Writes the addresses to a file, whole or not at all, which only its owner may read.
    pub fn write(&self, path: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self).context("endpoints are plain data")?;
        write_private(path, &(text + "\n"))
    }
}

/// A complete authorization request with a PKCE challenge. Whoever finishes it makes one with a
/// verifier of their own: this one's is forgotten, it is for looking at the sign-in page.
pub(crate) fn sign_in_url(issuer: &str, redirect_uri: &str) -> Result<String> {
    let challenge = URL_SAFE_NO_PAD.encode(Sha256::digest(name::random_token(32)));
    let parameters = [
        ("client_id", CLIENT_ID),
        ("redirect_uri", redirect_uri),
        ("response_type", "code"),
        ("scope", SCOPES),
        ("state", &name::random_token(16)),
        ("nonce", &name::random_token(16)),
        ("code_challenge", &challenge),
        ("code_challenge_method", "S256"),
    ];
    Url::parse_with_params(&format!("{issuer}/auth"), parameters)
        .map(Into::into)
        .context("the issuer is no URL")
}
