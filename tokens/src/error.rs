//! Why a token is not accepted.

/// A token was not accepted. Its text is safe to show to whoever sent the token: it holds nothing of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// The token's key is not held and the issuer could not be asked for it: it is away, or was asked a moment ago
    /// and may not be asked again yet. Nothing can be said about the token; it may pass later (HTTP 503).
    #[error("the token cannot be checked now: the issuer's keys are not available")]
    Unavailable,
    /// The token is not acceptable (HTTP 401).
    #[error("the token is not valid: {0}")]
    Invalid(#[from] Reason),
}

/// Which check refused a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// Longer than [`crate::MAX_TOKEN_BYTES`].
    #[error("it is too long")]
    TooLong,
    /// Not three base64url parts with JSON objects of the expected types.
    #[error("it is malformed")]
    Malformed,
    /// Another algorithm than RS256 or ES256, or not the one of the key that the header names.
    #[error("its algorithm is not accepted")]
    Algorithm,
    /// The header has `crit` (RFC 7515 §4.1.11): extensions that this verifier does not know must be understood.
    #[error("it demands extensions that are not supported")]
    Critical,
    /// The header does not say which key signed (`kid`).
    #[error("it does not name its key")]
    NoKeyId,
    /// The issuer has no such key: it was asked since the token's key was first heard of.
    #[error("its key is not one of the issuer's")]
    UnknownKey,
    /// The signature does not fit the content.
    #[error("its signature does not match")]
    Signature,
    /// A claim that must be there is not: its name.
    #[error("the claim {0} is missing")]
    Missing(&'static str),
    /// `iss` is not the configured issuer, character by character.
    #[error("another issuer made it")]
    Issuer,
    /// `aud` does not contain the configured audience.
    #[error("it is meant for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("it has expired")]
    Expired,
    /// `nbf` is yet to come.
    #[error("it is not valid yet")]
    NotYetValid,
    /// `iat` is yet to come.
    #[error("it was issued in the future")]
    IssuedInFuture,
    /// `sub` is empty, longer than 255 characters, or not printable ASCII.
    #[error("its subject is not acceptable")]
    Subject,
}

impl Reason {
    /// The value of the label `outcome` in the metrics.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::TooLong => "too_long",
            Self::Malformed => "malformed",
            Self::Algorithm => "algorithm",
            Self::Critical => "critical",
            Self::NoKeyId => "no_key_id",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Missing(_) => "missing_claim",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::IssuedInFuture => "issued_in_future",
            Self::Subject => "subject",
        }
    }
}
