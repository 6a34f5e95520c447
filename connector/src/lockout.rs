//! What stands before an account: whom an attempt is counted for, its charge, and the ladder that
//! failures climb.
//!
//! Failures are counted for an account whichever of its names was typed, and for names that belong to
//! nobody in just the same way. An account is known from the networks it was logged in to from. Those
//! have failures of their own to spend, so that strangers can close an account to strangers only.

mod ladder;

use std::array::TryFromSliceError;

use service_process::network::Network;
use uuid::Uuid;

pub use ladder::{
    CHARGE_LIFE, History, InvalidLockout, KNOWN_FOR_DAYS, KNOWN_NETWORKS, Lockout, MEMORY, Table,
    Verdict,
};

use crate::account::LoginName;
use crate::keys::NameKey;

/// Whom an attempt is counted for: an account, or a name that belongs to nobody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct GuardKey([u8; 32]);

impl GuardKey {
    /// Its 32 bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<[u8; 32]> for GuardKey {
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

/// A name that belongs to nobody is counted under its own code.
impl From<NameKey> for GuardKey {
    fn from(name: NameKey) -> Self {
        Self(name.into())
    }
}

impl TryFrom<&[u8]> for GuardKey {
    type Error = TryFromSliceError;

    fn try_from(bytes: &[u8]) -> Result<Self, TryFromSliceError> {
        bytes.try_into().map(Self)
    }
}

/// A request to let an attempt in: all that decides whom it is counted for, and whether it may begin.
#[derive(Debug, Clone)]
pub struct ChargeRequest {
    /// The name, if what was typed can be one.
    pub name: Option<LoginName>,
    /// What the attempt is counted under when no account has the name: a keyed hash of what was typed.
    pub name_key: NameKey,
    /// Where from; `None` when that is not known.
    pub network: Option<Network>,
    /// Let in only who comes from a network that the account is known from.
    pub known_only: bool,
}

/// Which failures a charge is counted among.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Budget {
    /// Those of everybody from anywhere.
    Strangers,
    /// Those of a network that the account is known from.
    Known(Network),
}

/// An attempt that was let in and has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Charge {
    /// Its id (UUIDv7).
    pub id: Uuid,
    /// Whom it is counted for.
    pub guard_key: GuardKey,
    /// Which failures it is one of if it fails.
    pub budget: Budget,
}
