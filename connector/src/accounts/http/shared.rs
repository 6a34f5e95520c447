//! What the pages share.

use axum::http::HeaderValue;

use crate::accounts::self_service::SelfService;

/// What the pages share.
#[derive(Debug)]
pub struct Shared {
    /// What they do.
    pub service: SelfService,
    /// The origin that browsers name in requests of our pages.
    pub origin: HeaderValue,
}
