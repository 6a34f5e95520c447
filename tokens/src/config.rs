//! What to verify against, parsed before anything runs.

use std::time::Duration;

use url::Url;

/// Both requests of a fetch together. Dex answers in milliseconds; a token with an unknown key waits this long at most.
const FETCH_TIMEOUT: Duration = Duration::from_secs(5);
/// About 1 KiB each with its claims: some 10 MiB when full.
const CACHED_TOKENS: u64 = 10_000;
/// How often the age of the keys is looked at when no token comes in: an hour of silence must not end with a token
/// accepted under a key that was withdrawn meanwhile.
const AGE_CHECK: Duration = Duration::from_mins(1);
const DISCOVERY_PATH: &str = "/.well-known/openid-configuration";

/// Whose tokens are accepted, for whom, and where the keys are.
#[derive(Debug, Clone)]
pub struct VerifierConfig {
    pub(crate) issuer: String,
    pub(crate) issuer_url: Url,
    pub(crate) audience: String,
    pub(crate) discovery: Option<Url>,
    pub(crate) fetch_timeout: Duration,
    pub(crate) cached_tokens: u64,
    pub(crate) age_check: Duration,
}

/// A value of the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The issuer is not an http(s) URL without user, query and fragment.
    #[error("the issuer must be an http(s) URL without user, query and fragment")]
    Issuer,
    /// The audience is empty.
    #[error("the audience must not be empty")]
    Audience,
    /// The discovery address is not an http(s) URL without user, query and fragment.
    #[error("the discovery address must be an http(s) URL without user, query and fragment")]
    Discovery,
    /// The HTTP client cannot be set up (TLS roots).
    #[error("the HTTP client for the issuer's keys cannot be set up")]
    HttpClient(#[source] reqwest::Error),
}

impl VerifierConfig {
    /// `issuer` is compared with the claim `iss` and with the discovery document character by character, so a slash
    /// at its end counts. `audience` must be in the claim `aud`.
    pub fn new(issuer: &str, audience: &str) -> Result<Self, ConfigError> {
        let issuer_url = http_url(issuer).ok_or(ConfigError::Issuer)?;
        if audience.is_empty() {
            return Err(ConfigError::Audience);
        }
        Ok(Self {
            issuer: issuer.to_owned(),
            issuer_url,
            audience: audience.to_owned(),
            discovery: None,
            fetch_timeout: FETCH_TIMEOUT,
            cached_tokens: CACHED_TOKENS,
            age_check: AGE_CHECK,
        })
    }

    /// Where the issuer can be reached from here when its public address cannot (inside a cluster): the base address
    /// or the whole address of the discovery document. The document must still name the configured issuer, and
    /// `jwks_uri` must still lie on the issuer's origin; the keys are then fetched from the same path on the origin
    /// of `url`. Whoever can answer at that origin can issue tokens: it must be a network path you trust.
    pub fn with_discovery_url(mut self, url: &str) -> Result<Self, ConfigError> {
        self.discovery = Some(http_url(url).ok_or(ConfigError::Discovery)?);
        Ok(self)
    }

    /// How long one fetch (discovery document and keys) may take; 5 s unless set.
    #[must_use]
    pub fn with_fetch_timeout(mut self, timeout: Duration) -> Self {
        self.fetch_timeout = timeout;
        self
    }

    /// How many verified tokens are remembered, one over 2 KiB counting as several; 10,000 unless set.
    #[must_use]
    pub fn with_cached_tokens(mut self, tokens: u64) -> Self {
        self.cached_tokens = tokens;
        self
    }

    /// How often the age of the keys is looked at while no token comes in; one minute unless set.
    #[must_use]
    pub fn with_age_check(mut self, every: Duration) -> Self {
        self.age_check = every;
        self
    }

    /// The address of the discovery document (OIDC Discovery 1.0 §4).
    pub(crate) fn discovery_address(&self) -> Url {
        let mut address = self.discovery.as_ref().unwrap_or(&self.issuer_url).clone();
        if !address.path().ends_with(DISCOVERY_PATH) {
            let path = format!("{}{DISCOVERY_PATH}", address.path().trim_end_matches('/'));
            address.set_path(&path);
        }
        address
    }
}

fn http_url(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty()
        && url.password().is_none()
        && url.query().is_none()
        && url.fragment().is_none();
    (plain && matches!(url.scheme(), "http" | "https")).then_some(url)
}
