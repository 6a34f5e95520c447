//! The order of the checks, and the memory of tokens that passed them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use chrono::{DateTime, Utc};
use moka::{Expiry, sync::Cache};
use sha2::{Digest, Sha256};

use crate::{
    Claims, Clock, ConfigError, KeyFetcher, TokenError, VerifierConfig,
    claims::{LEEWAY, Payload},
    error::Reason,
    fetcher::{self, Keys},
    jws::Jws,
    keys::Key,
};

/// Longer tokens are refused unread. Dex's have about 1 KiB, and 28 KiB with 150 groups whose names are as long as
/// names of groups may be.
pub const MAX_TOKEN_BYTES: usize = 32 << 10;

/// A remembered token counts once for each such block of bytes that it has, so that long ones do
/// not take the memory of many: see [`VerifierConfig::with_cached_tokens`].
const COUNTED_BYTES: usize = 2 << 10;

/// Verifies the tokens of one issuer for one audience. Share it in an `Arc`.
pub struct Verifier {
    issuer: String,
    audience: String,
    keys: Keys,
    clock: Arc<dyn Clock>,
    verified: Cache<[u8; 32], Arc<Verified>>,
    /// Counts what nearly every check comes to. To look it up each time costs as much as the memory.
    remembered: metrics::Counter,
}

/// A token that passed every check.
pub struct Passed {
    /// What it says.
    pub claims: Arc<Claims>,
    /// Whether it passes for the first time, as far as this verifier remembers.
    pub is_new: bool,
}

/// What a check comes to that finds the token in memory.
const REMEMBERED: &str = "remembered";

/// A token that passed every check. It passes again while it has not expired and its key is still the issuer's.
struct Verified {
    claims: Arc<Claims>,
    kid: String,
    key: Arc<Key>,
    at: DateTime<Utc>,
    /// How many tokens it counts for in memory.
    weight: u32,
}

impl Verified {
    fn until(&self) -> DateTime<Utc> {
        self.claims.expires_at + LEEWAY
    }
}

/// Frees the memory of tokens that nobody will send again. Whether one is still good is decided on our own clock.
struct Forget;

impl Expiry<[u8; 32], Arc<Verified>> for Forget {
    fn expire_after_create(
        &self,
        _token: &[u8; 32],
        verified: &Arc<Verified>,
        _now: Instant,
    ) -> Option<Duration> {
        (verified.until() - verified.at).to_std().ok()
    }
}

impl Verifier {
    /// The verifier, and the fetcher that must run for as long as it is used. What it counts goes to the recorder
    /// of metrics that there is by now.
    pub fn new(
        config: VerifierConfig,
        clock: impl Clock,
    ) -> Result<(Self, KeyFetcher), ConfigError> {
        let clock: Arc<dyn Clock> = Arc::new(clock);
        let (issuer, audience) = (config.issuer.clone(), config.audience.clone());
        let verified = Cache::builder()
            .weigher(|_, verified: &Arc<Verified>| verified.weight)
            .max_capacity(config.cached_tokens)
            .expire_after(Forget)
            .build();
        let (keys, fetcher) = fetcher::keys(config, Arc::clone(&clock))?;
        let remembered = counter(REMEMBERED);
        Ok((Self { issuer, audience, keys, clock, verified, remembered }, fetcher))
    }

    /// The claims of `token` if the issuer made it for the audience and it is valid now.
    ///
    /// Waits only when the token names a key that is not held and the issuer may be asked for it.
    pub async fn verify(&self, token: &str) -> Result<Arc<Claims>, TokenError> {
        self.pass(token).await.map(|passed| passed.claims)
    }

    /// The same as [`Self::verify`], and whether the token is one that was not seen here before: what it says may be
    /// news.
    pub async fn pass(&self, token: &str) -> Result<Passed, TokenError> {
        let result = self.recall_or_check(token).await;
        match &result {
            Ok((_, REMEMBERED)) => self.remembered.increment(1),
            Ok((_, outcome)) => counter(outcome).increment(1),
            Err(TokenError::Unavailable) => counter("unavailable").increment(1),
            Err(TokenError::Invalid(reason)) => counter(reason.label()).increment(1),
        }
        result.map(|(claims, outcome)| Passed { claims, is_new: outcome != REMEMBERED })
    }

    /// How many verified tokens are remembered.
    #[must_use]
    pub fn remembered(&self) -> u64 {
        self.verified.run_pending_tasks();
        self.verified.entry_count()
    }

    async fn recall_or_check(
        &self,
        token: &str,
    ) -> Result<(Arc<Claims>, &'static str), TokenError> {
        if token.len() > MAX_TOKEN_BYTES {
            return Err(Reason::TooLong.into());
        }
        let id: [u8; 32] = Sha256::digest(token).into();
        if let Some(claims) = self.recall(&id) {
            return Ok((claims, REMEMBERED));
        }
        let verified = Arc::new(self.check(token).await?);
        let claims = Arc::clone(&verified.claims);
        self.verified.insert(id, verified);
        Ok((claims, "verified"))
    }

    fn recall(&self, id: &[u8; 32]) -> Option<Arc<Claims>> {
        let verified = self.verified.get(id)?;
        let now = self.clock.now();
        let key_stands = self.keys.get(&verified.kid, now).is_some_and(|key| key == verified.key);
        if key_stands && now < verified.until() {
            return Some(Arc::clone(&verified.claims));
        }
        self.verified.invalidate(id);
        None
    }

    async fn check(&self, token: &str) -> Result<Verified, TokenError> {
        let jws = Jws::parse(token)?;
        let key = self.keys.find(&jws.kid, &*self.clock).await?;
        let at = self.clock.now();
        let payload: Payload = jws.verify(&key)?;
        let claims = Arc::new(payload.check(&self.issuer, &self.audience, at)?);
        let weight = u32::try_from(token.len().div_ceil(COUNTED_BYTES)).unwrap_or(u32::MAX);
        Ok(Verified { claims, kid: jws.kid, key, at, weight })
    }
}

fn counter(outcome: &'static str) -> metrics::Counter {
    metrics::counter!("dex_token_verifications_total", "outcome" => outcome)
}
