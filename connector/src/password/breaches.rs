//! Whether a password is known from a theft elsewhere: NIST SP 800-63B-4 §3.1.1.2 has such passwords refused.
//!
//! A service is asked that answers by ranges, as that of
//! [Have I Been Pwned](https://haveibeenpwned.com/API/v3#PwnedPasswords) does, or a mirror of it. It is told 5 of the 40
//! digits of the password's SHA-1 and answers all digests that begin so, some 2,000: which of them is meant, if any, it
//! does not learn.

use std::fmt::Write as _;
use std::time::Duration;

use reqwest::{Client, StatusCode, redirect};
use secrecy::{ExposeSecret as _, SecretString};
use service_process::error_chain::ErrorChain;
use sha1::{Digest as _, Sha1};
use thiserror::Error;
use tracing::warn;
use unicode_normalization::UnicodeNormalization as _;
use url::Url;

use crate::metrics::AUTH_UNAVAILABLE;
use crate::streak::Streak;

/// So long somebody waits for the answer of others. Without one the password is taken: who chooses one now must not
/// depend on them.
const LONGEST: Duration = Duration::from_secs(1);

/// How many digits of a digest the service is told.
const TOLD: usize = 5;

/// A range has some 2,000 lines of 37 to 45 bytes.
const MAX_BYTES: usize = 512 << 10;

/// Who knows passwords that were stolen.
#[derive(Debug)]
pub struct Breaches {
    http: Client,
    ranges: Url,
    failing: Streak,
}

/// The client for its requests cannot be made: there are no certificates of authorities to trust, for example.
#[derive(Debug, Error)]
#[error("PASSWORD_RANGES_URL: nothing can be asked by HTTP")]
pub struct NoClient(#[source] reqwest::Error);

/// Why nothing is known of a password.
#[derive(Debug, Error)]
enum NoAnswer {
    #[error("no answer within a second")]
    Late,
    #[error("the request failed")]
    Request(#[source] reqwest::Error),
    #[error("the answer is {0}")]
    Status(StatusCode),
    #[error("the answer is longer than any range")]
    TooLong,
    #[error("the answer is no list of digests")]
    Form,
}

impl Breaches {
    /// Those whose ranges are below this address, which ends with a slash. Nothing is asked yet.
    pub fn at(ranges: Url) -> Result<Self, NoClient> {
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            // Whom it asks is what the option names, and no variable of the environment.
            .no_proxy()
            .timeout(LONGEST)
            .user_agent(concat!(env!("CARGO_PKG_NAME"), "/", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(Self { http: http.map_err(NoClient)?, ranges, failing: Streak::default() })
    }

    /// Whether they know it. Within a second; `false`, and counted, if they do not answer.
    pub async fn know(&self, password: &SecretString) -> bool {
        let digest = digest(password);
        let (told, kept) = digest.expose_secret().split_at(TOLD);
        match self.range(told).await.and_then(|range| holds(&range, kept)) {
            Ok(known) => {
                self.failing.ends();
                known
            }
            Err(error) => {
                self.failed(&error);
                false
            }
        }
    }

    async fn range(&self, told: &str) -> Result<String, NoAnswer> {
        let address = self.ranges.join(told).map_err(|_| NoAnswer::Form)?;
        // The address would show five digits of somebody's password in the log.
        let failed = |error: reqwest::Error| {
            if error.is_timeout() { NoAnswer::Late } else { NoAnswer::Request(error.without_url()) }
        };
        // Ranges that are filled up with lines that count 0 have no length that tells which one it was.
        let asked = self.http.get(address).header("Add-Padding", "true").send();
        let mut response = asked.await.map_err(failed)?;
        if response.status() != StatusCode::OK {
            return Err(NoAnswer::Status(response.status()));
        }
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len() + chunk.len() > MAX_BYTES {
                return Err(NoAnswer::TooLong);
            }
            body.extend_from_slice(&chunk);
        }
        String::from_utf8(body).map_err(|_| NoAnswer::Form)
    }

    /// Tells of the first failure of a streak, and counts all.
    fn failed(&self, error: &NoAnswer) {
        metrics::counter!(AUTH_UNAVAILABLE, "call" => "accounts", "missing" => "breaches")
            .increment(1);
        if self.failing.fails() {
            warn!(error = %ErrorChain(error), "new passwords are not compared with stolen ones");
        }
    }
}

/// SHA-1 in 40 digits, as the lists have it.
fn digest(password: &SecretString) -> SecretString {
    let text = SecretString::from(password.expose_secret().nfkc().collect::<String>());
    let digest = Sha1::digest(text.expose_secret());
    let mut digits = String::with_capacity(2 * digest.len());
    for byte in digest {
        write!(digits, "{byte:02X}").expect("a string takes everything");
    }
    digits.into()
}

/// Whether a range has the rest of a digest, and not just to be longer. One line is `REST:COUNT`.
fn holds(range: &str, kept: &str) -> Result<bool, NoAnswer> {
    let mut held = false;
    for line in range.lines() {
        let (rest, count) = line.split_once(':').ok_or(NoAnswer::Form)?;
        let count: u64 = count.trim().parse().map_err(|_| NoAnswer::Form)?;
        if rest.len() != kept.len() {
            return Err(NoAnswer::Form);
        }
        held |= count > 0 && rest.eq_ignore_ascii_case(kept);
    }
    Ok(held)
}

#[cfg(test)]
#[path = "breaches_tests.rs"]
mod tests;
