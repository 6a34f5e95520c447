//! The check of a token: remembered, fresh, and the signature alone.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use dex_tokens::{Verifier, VerifierConfig};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, crypto};
use serde::{Deserialize, Serialize};
use service_process::sources::Sources;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::stats::count;

/// The audience of the tokens: their claim `aud`.
pub(crate) const AUDIENCE: &str = "chat-api";

/// How often each token is looked up when it is remembered.
const LOOK_UPS: usize = 100;

/// Whose tokens.
#[derive(Debug, clap::Args)]
pub(super) struct VerifyArgs {
    #[arg(long)]
    issuer: String,
    /// A file with the issuer's key as a JWK.
    #[arg(long)]
    key: PathBuf,
    /// A file with tokens, one a line.
    #[arg(long)]
    tokens: PathBuf,
}

/// How long one check takes, in microseconds.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub(crate) struct CheckTimes {
    /// A token that was checked before.
    pub(crate) remembered: f64,
    /// A token that is new.
    pub(crate) fresh: f64,
    /// Nothing but the signature of a token.
    pub(crate) signature: f64,
}

pub(super) async fn run(args: &VerifyArgs) -> Result<CheckTimes> {
    let tokens = std::fs::read_to_string(&args.tokens).context("no tokens")?;
    let tokens: Vec<&str> = tokens.lines().collect();
    let key: Jwk = serde_json::from_slice(&std::fs::read(&args.key).context("no key")?)?;
    let key = DecodingKey::from_jwk(&key)?;
    let (verifier, fetcher) =
        Verifier::new(VerifierConfig::new(&args.issuer, AUDIENCE)?, Sources::system().now)?;
    let mut tasks = JoinSet::new();
    tasks.spawn(fetcher.run(std::future::pending()));
    // The keys come with the first token.
    let (first, tokens) = tokens.split_first().context("no token")?;
    verifier.verify(first).await?;

    let start = Instant::now();
    for token in tokens {
        let (signed, signature) = token.rsplit_once('.').context("a token has three parts")?;
        ensure!(
            crypto::verify(signature, signed.as_bytes(), &key, Algorithm::RS256)?,
            "a signature that does not fit"
        );
    }
    let signature = each(start.elapsed(), tokens.len());
    let start = Instant::now();
    for token in tokens {
        verifier.verify(token).await?;
    }
    let fresh = each(start.elapsed(), tokens.len());
    // The cache sets to work on what it was given at the next look at it.
    ensure!(verifier.remembered() > tokens.len() as u64, "the cache is too small");
    let start = Instant::now();
    for _ in 0..LOOK_UPS {
        for token in tokens {
            verifier.verify(token).await?;
        }
    }
    let remembered = each(start.elapsed(), LOOK_UPS * tokens.len());
    Ok(CheckTimes { remembered, fresh, signature })
}

/// The time of one of `checks` checks, in microseconds.
fn each(time: Duration, checks: usize) -> f64 {
    time.as_secs_f64() * 1e6 / count(checks)
}
