//! Verifies JSON Web Tokens that Dex issued (RFC 7519, 7515, 8725; OIDC Core and Discovery 1.0).
//!
//! ```no_run
//! # async fn example(token: &str) -> Result<(), Box<dyn std::error::Error>> {
//! use dex_tokens::{Verifier, VerifierConfig};
//!
//! let config = VerifierConfig::new("https://chat.example/dex", "chat-api")?;
//! let (verifier, fetcher) = Verifier::new(config, chrono::Utc::now)?;
//! // Somewhere else: fetcher.run(stop).await, for as long as tokens are verified.
//! # drop(fetcher);
//! let claims = verifier.verify(token).await?;
//! println!("{} until {}", claims.subject, claims.expires_at);
//! # Ok(()) }
//! ```
//!
//! [`Verifier::verify`] never fetches: it reads the keys that [`KeyFetcher`] holds and, when it needs others, asks
//! and waits for it. So there is one fetch at a time however many tokens wait, no lock is held across it, and a
//! caller that goes away (a closed connection) cannot abort it for the others.

mod claims;
mod clock;
mod config;
mod error;
mod fetch;
mod fetcher;
mod jws;
mod keys;
mod verifier;

pub use claims::{Claims, LEEWAY, Subject};
pub use clock::Clock;
pub use config::{ConfigError, VerifierConfig};
pub use error::{Reason, TokenError};
pub use fetcher::KeyFetcher;
pub use verifier::{MAX_TOKEN_BYTES, Passed, Verifier};
