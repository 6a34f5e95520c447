//! What browsers may do with a page: its `Content-Security-Policy`.

use axum::http::HeaderValue;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest as _, Sha256};

/// No script, nothing from elsewhere, no frame around it, and forms lead to us alone.
pub(super) const POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
);

/// The one script of the pages: it sends the form of the page that hands over to Dex, once.
pub(super) const HAND_OVER_SCRIPT: &str = include_str!("../../../templates/hand_over.js");

/// The same for the page that hands over: it may run its script and no other, and its form may lead to these origins.
/// Chromium holds the redirects after a form to this, too: it needs Dex's and those of the apps.
pub(in crate::accounts) fn handing_over<'a>(
    origins: impl Iterator<Item = &'a String>,
) -> HeaderValue {
    let script = STANDARD.encode(Sha256::digest(HAND_OVER_SCRIPT));
    let origins: Vec<&str> = origins.map(String::as_str).collect();
    let policy = format!(
        "default-src 'none'; style-src 'self'; script-src 'sha256-{script}'; form-action {}; base-uri 'none'; \
         frame-ancestors 'none'",
        origins.join(" ")
    );
    HeaderValue::try_from(policy).expect("origins are ASCII")
}
