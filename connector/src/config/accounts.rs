//! The accounts pages.

use std::num::NonZeroU32;

use axum::http::{HeaderName, HeaderValue};
use clap::Args;
use service_process::cli::{item, up_to};
use service_process::proxies::parse_proxy_header;
use thiserror::Error;
use url::Url;

use super::local::is_local;
use crate::accounts::SignUp;
use crate::limits::FlowRates;
use crate::password::PasswordRules;

/// The accounts pages.
#[derive(Debug, Clone, Args)]
pub struct AccountsArgs {
    /// Where browsers find the accounts pages: an address whose path is `/accounts`, for example
    /// `https://chat.example/accounts`. Plain `http` is for localhost. Without it the role `accounts` serves no
    /// pages.
    #[arg(long, env = "ACCOUNTS_PUBLIC_URL", value_parser = PublicUrl::parse)]
    pub accounts_public_url: Option<PublicUrl>,

    /// Where the app is, for example `https://chat.example/`: the last page of what people began leads there.
    #[arg(long, env = "ACCOUNTS_APP_URL", value_parser = parse_app)]
    pub accounts_app_url: Option<Url>,

    /// Who may make an account: `open` lets whoever proves an address, `invite` whoever is invited, `closed`
    /// nobody.
    #[arg(long, env = "ACCOUNTS_SIGN_UP", value_enum, default_value = "open")]
    pub accounts_sign_up: SignUp,

    /// Groups whose members may look for the accounts of others, separated by commas. Nobody may without one.
    #[arg(long, env = "ACCOUNTS_SEARCH_GROUPS", value_delimiter = ',',
          value_parser = item(clap::builder::NonEmptyStringValueParser::new()))]
    pub accounts_search_groups: Vec<String>,

    /// Header in which a proxy in `TRUSTED_PROXY_CIDRS` tells the accounts pages the one address of whoever called
    /// it; the proxy must overwrite it.
    #[arg(long, env = "TRUSTED_PROXY_HEADER", default_value = "X-Real-IP", value_parser = parse_proxy_header)]
    pub trusted_proxy_header: HeaderName,

    /// Characters that a new password has at least, 8 to 64.
    #[arg(long, env = "PASSWORD_MIN_LENGTH", default_value = "15",
          value_parser = clap::value_parser!(u8).range(8..=64))]
    pub password_min_length: u8,

    /// Where to ask for passwords that were stolen elsewhere, by ranges of their SHA-1: an address that ends with a
    /// slash, such as `https://api.pwnedpasswords.com/range/`. It is told 5 of 40 digits. A new password is taken if it
    /// does not answer within a second. Without it nobody is asked.
    #[arg(long, env = "PASSWORD_RANGES_URL", value_parser = parse_ranges)]
    pub password_ranges_url: Option<Url>,

    /// Flows an hour that one network may begin: sign-ups and forgotten passwords, 1 to 1000000, half of
    /// them at once.
    #[arg(long, env = "LIMIT_FLOWS_PER_HOUR", default_value = "60", value_parser = up_to(1_000_000))]
    pub limit_flows_per_hour: NonZeroU32,

    /// Flows an hour that one coarse network may begin, 1 to 1000000, half of them at once.
    #[arg(long, env = "LIMIT_COARSE_FLOWS_PER_HOUR", default_value = "240", value_parser = up_to(1_000_000))]
    pub limit_coarse_flows_per_hour: NonZeroU32,
}

impl AccountsArgs {
    /// How many flows a network may begin.
    #[must_use]
    pub fn rates(&self) -> FlowRates {
        FlowRates {
            network_per_hour: self.limit_flows_per_hour,
            coarse_network_per_hour: self.limit_coarse_flows_per_hour,
        }
    }

    /// What is asked of a new password.
    #[must_use]
    pub fn rules(&self) -> PasswordRules {
        PasswordRules { least: self.password_min_length.into() }
    }
}

/// Where browsers find the accounts pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicUrl {
    text: String,
    origin: HeaderValue,
}

/// It cannot be the address of the pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum InvalidPublicUrl {
    /// Not an address, or with a part that does not belong there.
    #[error("expected scheme, host and the path /accounts, such as https://chat.example/accounts")]
    Form,
    /// Browsers would not keep the cookies of the pages.
    #[error(
        "http:// is for localhost only: elsewhere browsers keep our cookies over https:// alone"
    )]
    PlainText,
}

impl PublicUrl {
    /// Accepts an address whose path is `/accounts`.
    pub fn parse(text: &str) -> Result<Self, InvalidPublicUrl> {
        let url: Url = text.parse().map_err(|_| InvalidPublicUrl::Form)?;
        let is_bare = url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
            && url.password().is_none();
        if !is_bare || url.path() != "/accounts" || !matches!(url.scheme(), "http" | "https") {
            return Err(InvalidPublicUrl::Form);
        }
        if url.scheme() == "http" && !is_local(&url) {
            return Err(InvalidPublicUrl::PlainText);
        }
        let origin = HeaderValue::try_from(url.origin().ascii_serialization());
        Ok(Self { text: url.into(), origin: origin.map_err(|_| InvalidPublicUrl::Form)? })
    }

    /// The address.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The labels of its host.
    #[must_use]
    pub fn labels(&self) -> Vec<String> {
        let host = self.text.split("://").nth(1).and_then(|rest| rest.split(['/', ':']).next());
        host.unwrap_or_default().split('.').map(str::to_owned).collect()
    }

    /// Whether browsers come over TLS, which a proxy ends before us.
    #[must_use]
    pub fn is_https(&self) -> bool {
        self.text.starts_with("https:")
    }

    /// What browsers name as `Origin` in requests of its pages.
    #[must_use]
    pub fn origin(&self) -> &HeaderValue {
        &self.origin
    }
}

/// It cannot be the address of an app.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("expected an address of http or https without a user, such as https://chat.example/")]
struct InvalidAppUrl;

fn parse_app(text: &str) -> Result<Url, InvalidAppUrl> {
    let url: Url = text.parse().map_err(|_| InvalidAppUrl)?;
    let is_bare = url.username().is_empty() && url.password().is_none();
    if is_bare && matches!(url.scheme(), "http" | "https") { Ok(url) } else { Err(InvalidAppUrl) }
}

/// It cannot be the address of ranges.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error(
    "expected an address of http or https that ends with a slash, such as https://api.pwnedpasswords.com/range/"
)]
struct InvalidRanges;

fn parse_ranges(text: &str) -> Result<Url, InvalidRanges> {
    let url: Url = text.parse().map_err(|_| InvalidRanges)?;
    let is_bare = url.query().is_none() && url.fragment().is_none();
    let is_open = url.username().is_empty() && url.password().is_none();
    let is_folder = url.path().ends_with('/') && matches!(url.scheme(), "http" | "https");
    if is_bare && is_open && is_folder { Ok(url) } else { Err(InvalidRanges) }
}

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
