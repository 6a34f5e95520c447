//! Where a flow leads back to: the login that somebody left for it, or that their app is about to begin.

use std::fmt;

use url::form_urlencoded;

/// The parameters of an authorization request that are handed to Dex, and no other (OIDC Core 1.0, section 3.1.2.1;
/// RFC 7636, section 4.3).
const PARAMETERS: [&str; 8] = [
    "client_id",
    "redirect_uri",
    "response_type",
    "scope",
    "state",
    "nonce",
    "code_challenge",
    "code_challenge_method",
];

/// The most that is kept of a request, in bytes as a query. Its longest parts are an address, some scopes and three
/// random values: less than 1 KiB together.
const MAX_QUERY_BYTES: usize = 2048;

/// Where a flow leads back to. `Debug` does not show it: who knows a `state` can finish that login.
#[derive(Clone, PartialEq, Eq)]
pub enum HandBack {
    /// A login that waits at Dex.
    Login(DexState),
    /// What an app asks of Dex, which makes a login of it.
    Request(AuthorizationRequest),
}

/// What Dex calls a login that waits: 25 signs, all of them letters and digits of base 32.
#[derive(Clone, PartialEq, Eq)]
pub struct DexState(String);

/// An app's authorization request: parameters that are known, each once, and nothing that cannot be in one. Whether it
/// is good is for Dex to say.
#[derive(Clone, PartialEq, Eq)]
pub struct AuthorizationRequest(Vec<(&'static str, String)>);

impl HandBack {
    /// Reads the query of a page: with `client_id` it is an app's whole request, without it `state` is Dex's. `None`:
    /// it is neither, and the flow leads back nowhere.
    #[must_use]
    pub fn parse(query: &str) -> Option<Self> {
        let pairs: Vec<_> = form_urlencoded::parse(query.as_bytes()).collect();
        let mut known = Vec::new();
        for name in PARAMETERS {
            let mut values = pairs.iter().filter(|(key, _)| key == name).map(|(_, value)| value);
            let Some(value) = values.next() else { continue };
            // What was not UTF-8 is replaced by this.
            let is_text =
                !value.contains(|c: char| c.is_control() || c == char::REPLACEMENT_CHARACTER);
            if values.next().is_some() || value.is_empty() || !is_text {
                return None;
            }
            known.push((name, value.clone().into_owned()));
        }
        if known.iter().any(|(name, _)| *name == "client_id") {
            let request = AuthorizationRequest(known);
            let fits = request.query().len() <= MAX_QUERY_BYTES;
            return fits.then_some(Self::Request(request));
        }
        let state = known.into_iter().find(|(name, _)| *name == "state");
        state.and_then(|(_, state)| DexState::parse(&state)).map(Self::Login)
    }

    /// As a query, which [`parse`](Self::parse) reads.
    #[must_use]
    pub fn query(&self) -> String {
        match self {
            Self::Login(DexState(state)) => format!("state={state}"),
            Self::Request(request) => request.query(),
        }
    }
}

impl DexState {
    /// Accepts what Dex makes.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let is_symbol = |byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7');
        (text.len() == 25 && text.bytes().all(is_symbol)).then(|| Self(text.to_owned()))
    }

    /// As Dex reads it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl AuthorizationRequest {
    /// As Dex reads it.
    #[must_use]
    pub fn query(&self) -> String {
        form_urlencoded::Serializer::new(String::new()).extend_pairs(&self.0).finish()
    }
}

impl fmt::Debug for HandBack {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Login(_) => "Login(…)",
            Self::Request(_) => "Request(…)",
        })
    }
}

#[cfg(test)]
#[path = "hand_back_tests.rs"]
mod tests;
