//! Why something is not done for who is signed in: the one list, for pages and for JSON.

use thiserror::Error;

use crate::account::InvalidPhone;
use crate::accounts::refusal::Refusal;
use crate::login::Unavailable;
use crate::store::StoreError;

/// Why something is not done.
#[derive(Debug, Error)]
pub enum SignedRefusal {
    /// Nobody is signed in: whoever was is so no longer, or is not of our connector, or may not use the account. Which,
    /// is not said.
    #[error("nobody is signed in")]
    SignedOut,
    /// The password is another one, or the account is closed to the network. Which, is not said.
    #[error("the password is wrong, or the account is closed to this network for now")]
    WrongPassword,
    /// What was typed is no telephone number.
    #[error("the telephone number {0}")]
    Phone(#[from] InvalidPhone),
    /// The account has this address already.
    #[error("the account has this address")]
    OwnAddress,
    /// No such code brings an address back: it is another, was good for seven days, was used, or one before it was.
    #[error("the code is wrong, or was good for seven days, or was used")]
    Undo,
    /// The account is not known from there.
    #[error("the account is not known from this network")]
    NoSuchNetwork,
    /// Only members of certain groups look for the accounts of others.
    #[error("only certain groups may look for accounts")]
    NotASearcher,
    /// Too many accounts have so little.
    #[error("what is looked for needs three letters or digits in a row, and 254 bytes at most")]
    ShortTerm,
    /// Nobody has this id.
    #[error("there is no such account")]
    NoSuchAccount,
    /// The password cannot be looked at.
    #[error("the password cannot be looked at now")]
    Unverified(#[from] Unavailable),
    /// What is refused to everybody alike.
    #[error(transparent)]
    Other(#[from] Refusal),
}

impl From<StoreError> for SignedRefusal {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Taken { .. } => Self::Other(Refusal::Taken),
            error => Self::Other(Refusal::Unavailable(error)),
        }
    }
}
