//! Names and passwords nobody has used before.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};

/// `prefix_` and twelve random hexadecimal digits: fit for a database and for a topic prefix.
#[must_use]
pub fn unique(prefix: &str) -> String {
    format!("{prefix}_{:012x}", rand::random::<u64>() >> 16)
}

/// `bytes` random bytes as unpadded base64url.
#[must_use]
pub fn random_token(bytes: usize) -> String {
    let random: Vec<u8> = (0..bytes).map(|_| rand::random()).collect();
    URL_SAFE_NO_PAD.encode(random)
}

/// A key of 256 random bits as base64.
#[must_use]
pub fn random_key() -> String {
    STANDARD.encode(rand::random::<[u8; 32]>())
}
