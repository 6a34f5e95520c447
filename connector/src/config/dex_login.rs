//! Where people sign in at Dex.

use std::fmt;

use clap::Args;
use dex_tokens::{ConfigError, VerifierConfig};
use service_process::cli::item;
use thiserror::Error;
use url::Url;

use super::local::is_local;
use crate::accounts::AUDIENCE;

/// What the address of the discovery document ends with (OIDC Discovery 1.0, section 4).
const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Where people sign in at Dex.
#[derive(Debug, Clone, Args)]
pub struct DexLoginArgs {
    /// Dex's issuer, where browsers find it, as its tokens and its discovery name it, for example
    /// `https://chat.example/dex`: who signs up, or chooses another password, is led back there, signed in, and its
    /// tokens tell who is signed in. Without it the last page leads to the app, and nobody is signed in.
    #[arg(long, env = "DEX_ISSUER_URL", value_parser = Issuer::parse)]
    pub dex_issuer_url: Option<Issuer>,

    /// Where the issuer is reached from here, if not at its own address.
    #[arg(long, env = "DEX_DISCOVERY_URL", value_parser = parse_inside, requires = "dex_issuer_url")]
    pub dex_discovery_url: Option<Url>,

    /// Origins of the apps that Dex leads browsers back to, separated by commas: those of all redirect URIs of its
    /// clients. That of `ACCOUNTS_APP_URL` is among them.
    #[arg(long, env = "ACCOUNTS_APP_ORIGINS", value_delimiter = ',', value_parser = item(parse_origin))]
    pub accounts_app_origins: Vec<String>,
}

/// An issuer. It is compared character by character, so its text is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Issuer {
    text: String,
    url: Url,
}

/// It cannot be the address of an issuer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidIssuer {
    /// Not an address, or with a part that does not belong there.
    #[error("expected an http:// or https:// address without user, query and fragment")]
    Form,
    /// Whoever is on the way would read tickets.
    #[error("http:// is for localhost only: people are led there with what signs them in")]
    PlainText,
}

impl Issuer {
    /// Accepts an address over TLS, or on this machine.
    pub fn parse(text: &str) -> Result<Self, InvalidIssuer> {
        let url = parse_bare(text)?;
        if url.scheme() == "http" && !is_local(&url) {
            return Err(InvalidIssuer::PlainText);
        }
        Ok(Self { text: text.to_owned(), url })
    }

    /// Where browsers find it.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }
}

impl fmt::Display for Issuer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl DexLoginArgs {
    /// What tokens of who is signed in are verified against, if it is known where they come from.
    pub fn verifier(&self) -> Result<Option<VerifierConfig>, ConfigError> {
        let Some(issuer) = &self.dex_issuer_url else { return Ok(None) };
        let config = VerifierConfig::new(&issuer.text, AUDIENCE)?;
        Ok(Some(match &self.dex_discovery_url {
            Some(url) => config.with_discovery_url(url.as_str())?,
            None => config,
        }))
    }
}

/// It cannot be an origin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected scheme, host and maybe a port, such as https://chat.example")]
struct InvalidOrigin;

/// The base address; that of the discovery document is understood, too.
fn parse_inside(text: &str) -> Result<Url, InvalidIssuer> {
    parse_bare(text.strip_suffix(DISCOVERY).unwrap_or(text))
}

fn parse_bare(text: &str) -> Result<Url, InvalidIssuer> {
    let url: Url = text.parse().map_err(|_| InvalidIssuer::Form)?;
    let is_bare = url.query().is_none()
        && url.fragment().is_none()
        && url.username().is_empty()
        && url.password().is_none();
    let is_http = matches!(url.scheme(), "http" | "https");
    if is_bare && is_http { Ok(url) } else { Err(InvalidIssuer::Form) }
}

fn parse_origin(text: &str) -> Result<String, InvalidOrigin> {
    let url: Url = text.parse().map_err(|_| InvalidOrigin)?;
    let origin = url.origin().ascii_serialization();
    // With a star it would mean others, too, where it is written.
    let is_one = matches!(url.scheme(), "http" | "https") && !origin.contains('*');
    if is_one && text.trim_end_matches('/').eq_ignore_ascii_case(&origin) {
        Ok(origin)
    } else {
        Err(InvalidOrigin)
    }
}

#[cfg(test)]
#[path = "dex_login_tests.rs"]
mod tests;
