//! Asking the issuer for its keys: discovery document, then JWK set.

use std::time::Duration;

use reqwest::{Client, StatusCode, header::CACHE_CONTROL, redirect};
use serde::Deserialize;
use url::Url;

use crate::{
    ConfigError, VerifierConfig,
    keys::{self, KeysById},
};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Dex's discovery document has 2 KiB, its key set under 1 KiB a key.
const MAX_DISCOVERY_BYTES: usize = 64 << 10;
const MAX_KEYS_BYTES: usize = 256 << 10;
/// Dex says 600 s or less. A longer word would keep a withdrawn key alive here, a shorter one cost needless requests.
const MAX_AGE: Duration = Duration::from_mins(10);
const MIN_AGE: Duration = Duration::from_mins(1);

/// The issuer as seen from here.
pub(crate) struct Issuer {
    http: Client,
    config: VerifierConfig,
}

/// The keys that a fetch brought, and how long they are fresh.
pub(crate) struct Fetched {
    pub(crate) keys: KeysById,
    /// When to ask again.
    pub(crate) refresh_after: Duration,
}

/// Why a fetch failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FetchError {
    #[error("no answer in time")]
    Timeout,
    #[error("the request to {1} failed")]
    Request(#[source] reqwest::Error, Url),
    #[error("{1} answered {0}")]
    Status(StatusCode, Url),
    #[error("{0} answered more than is accepted")]
    TooLarge(Url),
    #[error("the answer of {1} cannot be read")]
    Malformed(#[source] serde_json::Error, Url),
    #[error("the discovery document names another issuer: {0:?}")]
    OtherIssuer(String),
    #[error("the discovery document's jwks_uri is not on the issuer's origin: {0:?}")]
    ForeignKeys(String),
    #[error("{0} answered no key that can be used")]
    NoUsableKey(Url),
}

impl FetchError {
    /// The value of the label `outcome` in the metrics.
    pub(crate) fn label(&self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Request(..) => "request",
            Self::Status(..) => "status",
            Self::TooLarge(_) => "too_large",
            Self::Malformed(..) => "malformed",
            Self::OtherIssuer(_) => "other_issuer",
            Self::ForeignKeys(_) => "foreign_keys",
            Self::NoUsableKey(_) => "no_usable_key",
        }
    }
}

#[derive(Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: String,
}

impl Issuer {
    pub(crate) fn new(config: VerifierConfig) -> Result<Self, ConfigError> {
        let http = Client::builder()
            // The issuer answers itself; whoever it points to is not the issuer.
            .redirect(redirect::Policy::none())
            .connect_timeout(CONNECT_TIMEOUT)
            // Keys decide who may come in: they take no way that the environment variables of a proxy name.
            .no_proxy()
            // A connection left open for ten minutes is a broken one more often than a faster one.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(ConfigError::HttpClient)?;
        Ok(Self { http, config })
    }

    pub(crate) async fn fetch(&self) -> Result<Fetched, FetchError> {
        tokio::time::timeout(self.config.fetch_timeout, self.fetch_unhurried())
            .await
            .unwrap_or(Err(FetchError::Timeout))
    }

    async fn fetch_unhurried(&self) -> Result<Fetched, FetchError> {
        let address = self.config.discovery_address();
        let (body, _) = self.get(&address, MAX_DISCOVERY_BYTES).await?;
        let discovery: Discovery =
            serde_json::from_slice(&body).map_err(|error| FetchError::Malformed(error, address))?;
        if discovery.issuer != self.config.issuer {
            return Err(FetchError::OtherIssuer(shortened(&discovery.issuer)));
        }
        let address = self.keys_address(&discovery.jwks_uri)?;
        let (body, refresh_after) = self.get(&address, MAX_KEYS_BYTES).await?;
        match keys::parse(&body) {
            Err(error) => Err(FetchError::Malformed(error, address)),
            Ok(keys) if keys.is_empty() => Err(FetchError::NoUsableKey(address)),
            Ok(keys) => Ok(Fetched { keys, refresh_after }),
        }
    }

    /// Dex serves its keys on its own origin, so an address elsewhere (or without TLS when the issuer has it) is
    /// not believed. With a discovery address of its own, the keys are taken from the same place as the document.
    fn keys_address(&self, jwks_uri: &str) -> Result<Url, FetchError> {
        let mut address = match Url::parse(jwks_uri) {
            Ok(url) if url.origin() == self.config.issuer_url.origin() => url,
            _ => return Err(FetchError::ForeignKeys(shortened(jwks_uri))),
        };
        if let Some(discovery) = &self.config.discovery {
            let (path, query) = (address.path().to_owned(), address.query().map(str::to_owned));
            address = discovery.clone();
            address.set_path(&path);
            address.set_query(query.as_deref());
        }
        Ok(address)
    }

    /// The body of `address`, at most `limit` bytes, and how long it may be kept.
    async fn get(&self, address: &Url, limit: usize) -> Result<(Vec<u8>, Duration), FetchError> {
        let failed =
            |error: reqwest::Error| FetchError::Request(error.without_url(), address.clone());
        let mut response = self.http.get(address.clone()).send().await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(FetchError::Status(response.status(), address.clone()));
        }
        let cache_control = response.headers().get(CACHE_CONTROL).and_then(|it| it.to_str().ok());
        let age = max_age(cache_control.unwrap_or_default());
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > limit {
                return Err(FetchError::TooLarge(address.clone()));
            }
            body.extend_from_slice(&chunk);
        }
        Ok((body, age))
    }
}

/// RFC 9111 §5.2.2.1, kept within our bounds.
fn max_age(cache_control: &str) -> Duration {
    cache_control
        .split(',')
        .find_map(|directive| directive.trim().strip_prefix("max-age="))
        .and_then(|seconds| seconds.parse().ok())
        .map_or(MAX_AGE, |seconds| Duration::from_secs(seconds).clamp(MIN_AGE, MAX_AGE))
}

/// Text of the other side for the log: enough to see the mistake.
fn shortened(text: &str) -> String {
    const ENOUGH: usize = 200;
    text.chars().take(ENOUGH).collect()
}
