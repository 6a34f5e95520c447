//! The issuer of the tokens by which people are known who are signed in.

use clap::Args;
use dex_tokens::{ConfigError, VerifierConfig};
use thiserror::Error;
use url::Url;

use crate::accounts::AUDIENCE;

/// The issuer of the tokens by which people are known who are signed in.
#[derive(Debug, Clone, Args)]
pub struct IssuerArgs {
    /// Dex as its tokens and its discovery name it, for example `https://chat.example/dex`. Without it the accounts
    /// pages know nobody who is signed in.
    #[arg(long, env = "DEX_ISSUER_URL", value_parser = parse_http_url)]
    pub dex_issuer_url: Option<String>,

    /// Where the issuer is reached from here, if not at its own address.
    #[arg(long, env = "DEX_DISCOVERY_URL", value_parser = parse_http_url, requires = "dex_issuer_url")]
    pub dex_discovery_url: Option<String>,
}

/// An option from which no verifier can be made.
#[derive(Debug, Error)]
#[error("{option}")]
pub struct InvalidIssuer {
    option: &'static str,
    #[source]
    reason: ConfigError,
}

impl IssuerArgs {
    /// What tokens are verified against, if there are any.
    pub fn verifier(&self) -> Result<Option<VerifierConfig>, InvalidIssuer> {
        let Some(issuer) = &self.dex_issuer_url else { return Ok(None) };
        let config = VerifierConfig::new(issuer, AUDIENCE);
        let config = config.map_err(|reason| InvalidIssuer { option: "DEX_ISSUER_URL", reason })?;
        Ok(Some(match &self.dex_discovery_url {
            Some(url) => config
                .with_discovery_url(url)
                .map_err(|reason| InvalidIssuer { option: "DEX_DISCOVERY_URL", reason })?,
            None => config,
        }))
    }
}

fn parse_http_url(text: &str) -> Result<String, &'static str> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.to_owned())
        }
        _ => Err("expected an http:// or https:// address"),
    }
}
