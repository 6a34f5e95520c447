//! Why something is not done for somebody: the one list, for pages and for JSON.

use std::time::Duration;

use thiserror::Error;

use crate::account::InvalidName;
use crate::password::{Saturated, UnfitPassword};
use crate::store::StoreError;

/// Why something is not done. None of them says whether an address has an account, but to who proved it.
#[derive(Debug, Error)]
pub enum Refusal {
    /// Nobody may make an account.
    #[error("people cannot sign up here")]
    SignUpClosed,
    /// Nobody may make an account without an invitation.
    #[error("people sign up here by invitation")]
    InvitedOnly,
    /// There is no invitation with that code, or it is over, or its account is there.
    #[error("the invitation is wrong, or was good for seven days, or was used")]
    Invitation,
    /// What was typed is no address.
    #[error("the address {0}")]
    Email(InvalidName),
    /// What was typed is no name.
    #[error("the name {0}")]
    Name(String),
    /// The password is not taken.
    #[error("the password {0}")]
    Password(UnfitPassword),
    /// The code is not the one, or none is good any more. Which, is not said.
    #[error("the code is wrong, or was good for ten minutes, or was tried too often")]
    Code,
    /// There is no flow: none was begun in this browser, it is over, or it was used up.
    #[error("nothing was begun here, or it is over")]
    NoFlow,
    /// The last page of a flow that is not there any more: it was sent before, or its time is over.
    #[error("it was done already, or took too long")]
    Over,
    /// The page is of a flow that another one in this browser has replaced.
    #[error("the page is of something that was begun before")]
    OtherFlow,
    /// What was proved is good for something else.
    #[error("this flow is for something else")]
    OtherPurpose,
    /// There is an account with the address by now.
    #[error("there is an account with this address")]
    Taken,
    /// The account with the address may not be used.
    #[error("the account with this address may not be used")]
    Disabled,
    /// Too much is asked in the network.
    #[error("too many requests come from this network")]
    Throttled(Duration),
    /// More is to be hashed than can be.
    #[error("too much is to be done at the moment")]
    Busy(#[from] Saturated),
    /// The database does not answer as it must.
    #[error("the database does not answer")]
    Unavailable(#[from] StoreError),
}

impl Refusal {
    /// As it is told where a flow ends: who sends the last page twice has what it was for.
    #[must_use]
    pub fn at_the_end(self) -> Self {
        match self {
            Self::NoFlow => Self::Over,
            other => other,
        }
    }
}
