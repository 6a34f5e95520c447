//! Whose tokens are accepted.

use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use dex_tokens::{ConfigError, VerifierConfig};
use url::Url;

use super::invalid::BadConfiguration;

/// Whose tokens are accepted.
#[derive(Debug, Clone, Args)]
pub struct TokensArgs {
    /// Issuer of the tokens, exactly as tokens and discovery name it.
    #[arg(long, env = "DEX_ISSUER_URL", value_parser = parse_http_url)]
    pub dex_issuer_url: String,

    /// Audience that tokens must be for.
    #[arg(long, env = "DEX_AUDIENCE", default_value = "chat-api", value_parser = NonEmptyStringValueParser::new())]
    pub dex_audience: String,

    /// Where the issuer is reached from here, if not at its own address.
    #[arg(long, env = "DEX_DISCOVERY_URL", value_parser = parse_http_url)]
    pub dex_discovery_url: Option<String>,
}

impl TokensArgs {
    /// What tokens are verified against.
    pub fn verifier(&self) -> Result<VerifierConfig, BadConfiguration> {
        let bad = |option, error: ConfigError| BadConfiguration::new(option, error.to_string());
        let config = VerifierConfig::new(&self.dex_issuer_url, &self.dex_audience);
        let config = config.map_err(|error| bad("dex-issuer-url", error))?;
        match &self.dex_discovery_url {
            Some(url) => {
                config.with_discovery_url(url).map_err(|error| bad("dex-discovery-url", error))
            }
            None => Ok(config),
        }
    }
}

fn parse_http_url(text: &str) -> Result<String, String> {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.to_owned())
        }
        _ => Err("expected an http:// or https:// address".to_owned()),
    }
}
