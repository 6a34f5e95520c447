//! Why a sign-in did not come to its end.

use thiserror::Error;

use crate::http::DexError;

/// Why somebody is not signed in. Nothing of it is secret, and nothing is what somebody sent.
#[derive(Debug, Error)]
pub enum SignInError {
    /// No sign-in was begun in this browser: it has no cookie of one, or one of another installation or of a key that is
    /// gone, or it was completed before.
    #[error("no sign-in was begun in this browser, or it was completed")]
    NoFlow,
    /// It was begun longer ago than [`FLOW_LIFE`](crate::FLOW_LIFE).
    #[error("the sign-in was begun more than an hour ago")]
    Expired,
    /// What came back belongs to another sign-in: of another browser, or of an earlier tab of this one.
    #[error("the answer is that of another sign-in")]
    OtherFlow,
    /// The address does not have what Dex answers with.
    #[error("this is not what Dex answers with")]
    Malformed,
    /// Dex says that it does not sign this person in, or the person went away.
    #[error("Dex did not sign anybody in")]
    Denied,
    /// Dex does not take the code: it was used, is too old, or belongs to something else.
    #[error("Dex does not take the code")]
    CodeRefused,
    /// The ID token is not one that Dex made for this client and this sign-in.
    #[error("the ID token is not one for this sign-in")]
    IdToken(#[source] openidconnect::ClaimsVerificationError),
    /// Dex does not answer as it must.
    #[error(transparent)]
    Unavailable(#[from] DexError),
}
