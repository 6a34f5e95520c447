//! What is attempted, and how it can end.

use std::sync::Arc;
use std::time::Duration;

use secrecy::SecretString;
use thiserror::Error;
use tokio::time::Instant;

use crate::account::Identity;
use crate::audit::{Origin, RefusalReason};
use crate::password::Saturated;
use crate::store::StoreError;

/// One attempt to show who somebody is. `Debug` shows nothing that was typed.
#[derive(Debug)]
pub struct Attempt {
    /// Whose account it is to be.
    pub who: Who,
    /// What was typed as the password, or a ticket.
    pub password: SecretString,
    /// What the person wants to do.
    pub purpose: Purpose,
    /// Where it comes from.
    pub origin: Origin,
    /// When the caller gives up.
    pub deadline: Option<Instant>,
}

/// Who is to be verified.
#[derive(Debug)]
pub enum Who {
    /// The account that has the name that was typed, if there is one.
    Typed(SecretString),
}

/// What an attempt is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// To sign in to an app, through Dex.
    SignIn {
        /// Whether the app asked for groups.
        wants_groups: bool,
    },
    /// To do something here for which who is signed in shows the password again. A ticket is none.
    Confirm,
}

impl Purpose {
    /// Whether the groups of whoever is let in are told.
    pub(super) fn wants_groups(self) -> bool {
        matches!(self, Self::SignIn { wants_groups: true })
    }
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// The person is who they say.
    Granted(Identity),
    /// They are not, or must not. The reason is for the audit trail.
    Refused(RefusalReason),
    /// Too many attempts came from the network; it may try again after this time.
    Throttled(Duration),
}

/// Something that an attempt needs is missing. It says nothing about the person.
#[derive(Debug, Clone, Error)]
pub enum Unavailable {
    /// The database did not answer.
    #[error(transparent)]
    Store(Arc<StoreError>),
    /// More is to be hashed than can be in time.
    #[error(transparent)]
    Saturated(#[from] Saturated),
    /// The caller went away, or the process stops.
    #[error("given up")]
    Abandoned,
}

impl From<StoreError> for Unavailable {
    fn from(error: StoreError) -> Self {
        Self::Store(Arc::new(error))
    }
}
