//! Who comes without a token.

use axum::http::HeaderName;
use clap::Args;
use clap::builder::BoolishValueParser;
use service_process::proxies::{TrustedProxies, parse_proxy_header};

use crate::guests::Entrance;

/// Who comes without a token.
#[derive(Debug, Clone, Args)]
pub struct GuestsArgs {
    /// Let people without a token read public rooms: `on` or `off`. They are limited by their network.
    #[arg(long, env = "CHAT_GUESTS", value_parser = BoolishValueParser::new())]
    pub chat_guests: bool,

    /// Networks of the proxies that guests come through, separated by commas, such as
    /// `10.0.0.0/8,fd00::/8`. Behind a proxy that is not named here all guests are one network.
    #[arg(long, env = "TRUSTED_PROXY_CIDRS", default_value = "", hide_default_value = true,
          value_parser = TrustedProxies::parse)]
    pub trusted_proxy_cidrs: TrustedProxies,

    /// Header in which a proxy in `TRUSTED_PROXY_CIDRS` tells the one address of whoever called it; the proxy must
    /// overwrite it. A guest whom it says nothing of is not let in.
    #[arg(long, env = "TRUSTED_PROXY_HEADER", default_value = "X-Real-IP", value_parser = parse_proxy_header)]
    pub trusted_proxy_header: HeaderName,
}

impl GuestsArgs {
    /// How guests come here, if they may.
    #[must_use]
    pub fn entrance(&self) -> Option<Entrance> {
        let (proxies, header) = (&self.trusted_proxy_cidrs, &self.trusted_proxy_header);
        let entrance = || Entrance { proxies: proxies.clone(), header: header.clone() };
        self.chat_guests.then(entrance)
    }
}
