//! The ports, and who may call.

use std::net::SocketAddr;

use axum::http::HeaderValue;
use clap::Args;
use clap::builder::BoolishValueParser;
use service_process::cli::item;
use service_process::listener::ListenerArgs;
use url::Url;

/// The ports, and who may call.
#[derive(Debug, Clone, Args)]
pub struct HttpArgs {
    /// Where REST and WebSocket are served.
    #[arg(long, env = "CHAT_LISTEN", default_value = "0.0.0.0:8080")]
    pub chat_listen: SocketAddr,

    /// What that port bears.
    #[command(flatten)]
    pub listener: ListenerArgs,

    /// Where liveness, readiness and metrics are served.
    #[arg(long, env = "ADMIN_LISTEN", default_value = "0.0.0.0:9102")]
    pub admin_listen: SocketAddr,

    /// Origins whose pages may call, separated by commas; none if left out.
    #[arg(long, env = "CHAT_ALLOWED_ORIGINS", value_delimiter = ',', value_parser = item(parse_origin as fn(&str) -> Result<HeaderValue, String>))]
    pub chat_allowed_origins: Vec<HeaderValue>,

    /// Believe a request's `traceparent`: of which trace it is a part, and whether that is recorded. For
    /// replicas behind an entry that writes this header itself; elsewhere anybody could have everything
    /// recorded.
    #[arg(long, env = "CHAT_TRUST_TRACEPARENT", value_parser = BoolishValueParser::new())]
    pub chat_trust_traceparent: bool,
}

/// RFC 6454 §6.2: scheme, host and, unless it is the scheme's own, port.
fn parse_origin(text: &str) -> Result<HeaderValue, String> {
    let wrong = || "expected an origin such as https://chat.example, without a path".to_owned();
    let origin = Url::parse(text).map_err(|_| wrong())?.origin().ascii_serialization();
    if origin != text {
        return Err(wrong());
    }
    HeaderValue::from_str(text).map_err(|_| wrong())
}
