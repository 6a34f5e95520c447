//! Names and passwords nobody has used before.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

/// `prefix_` and twelve random hexadecimal digits: fit for a database and for a topic prefix.
#[must_use]
pub fn unique(prefix: &str) -> String {
    let random: [u8; 6] = rand::random();
    let digits: String = random.iter().map(|byte| format!("{byte:02x}")).collect();
    format!("{prefix}_{digits}")
}

/// `bytes` random bytes as unpadded base64url.
#[must_use]
pub fn random_token(bytes: usize) -> String {
    let random: Vec<u8> = (0..bytes).map(|_| rand::random()).collect();
    URL_SAFE_NO_PAD.encode(random)
}
