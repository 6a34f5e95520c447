//! A sign-in under way, as the browser keeps it: sealed, in a cookie.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};
use service_process::sources::Sources;

use crate::seal::{Binding, Sealer};

/// How long a sign-in may take: as long as Dex keeps its request (`expiry.authRequests`), in which somebody may sign up and
/// wait for a mail.
pub const FLOW_LIFE: TimeDelta = TimeDelta::hours(1);

/// The longest path that is returned to. The cookie has to hold it, sealed.
const MAX_PATH_BYTES: usize = 1024;

/// Where a browser goes once it is signed in: a path of this origin, with its query.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct ReturnPath(String);

impl ReturnPath {
    /// Accepts what every browser takes for a path of the same origin. Not what begins like an address: `//evil.example` has
    /// no scheme, browsers read `/\evil.example` alike and leave tabs and line ends out.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_path = text.starts_with('/') && !text.starts_with("//");
        let is_plain = |byte: u8| byte.is_ascii_graphic() && byte != b'\\' && byte != b'#';
        let is_ours = is_path && text.len() <= MAX_PATH_BYTES && text.bytes().all(is_plain);
        is_ours.then(|| Self(text.to_owned()))
    }

    /// The path, with its query.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for ReturnPath {
    type Error = &'static str;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("not a path of this origin")
    }
}

/// What a sign-in has to come back with, and what it is completed with.
#[derive(Serialize, Deserialize)]
pub(crate) struct Flow {
    /// Comes back in the address: without it, it is another browser's sign-in (RFC 6749 §10.12).
    pub(crate) state: String,
    /// Comes back in the ID token: without it, that was made for another sign-in (OIDC Core §3.1.2.1).
    pub(crate) nonce: String,
    /// Goes along with the code, which is worth nothing without it (RFC 7636 §4.1).
    pub(crate) verifier: String,
    pub(crate) return_to: ReturnPath,
    pub(crate) begun_at: DateTime<Utc>,
}

impl Flow {
    pub(crate) fn new(return_to: ReturnPath, sources: Sources) -> Self {
        let (state, nonce, verifier) = (secret(sources), secret(sources), secret(sources));
        Self { state, nonce, verifier, return_to, begun_at: (sources.now)() }
    }

    pub(crate) fn seal(&self, client_id: &str, sealer: &Sealer, sources: Sources) -> String {
        let text = serde_json::to_vec(self).expect("text becomes JSON");
        sealer.seal(binding(client_id), &text, sources)
    }

    pub(crate) fn open(client_id: &str, sealer: &Sealer, cookie: &str) -> Option<Self> {
        let text = sealer.open(binding(client_id), cookie)?;
        serde_json::from_slice(&text).ok()
    }
}

impl fmt::Debug for Flow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Flow(…)")
    }
}

fn binding(client_id: &str) -> Binding<'_> {
    Binding { purpose: "flow", client_id, subject: "" }
}

/// 320 bits that nobody can guess, in 54 characters: a verifier has 43 at least (RFC 7636 §4.1).
fn secret(sources: Sources) -> String {
    let bytes: Vec<u8> = (0..4).flat_map(|_| (sources.random)()).collect();
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
#[path = "flow_tests.rs"]
mod tests;
