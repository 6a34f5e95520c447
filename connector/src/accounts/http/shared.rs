//! What the pages share.

use axum::http::{HeaderName, HeaderValue};

use crate::accounts::self_service::SelfService;

/// What the pages share.
#[derive(Debug)]
pub struct Shared {
    /// What they do.
    pub service: SelfService,
    /// The origin that browsers name in requests of our pages.
    pub origin: HeaderValue,
    /// Where the app is, if that is known.
    pub app: Option<String>,
    /// The header in which a trusted proxy tells the address of whoever called it.
    pub proxy_header: HeaderName,
}
