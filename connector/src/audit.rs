//! What the audit trail says. An event names what happened, not what was typed.

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

use crate::account::AccountId;

/// Where a call came from.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Dex's connector id.
    pub connector_id: String,
    /// The person's address; `None` when Dex does not know it.
    pub remote_ip: Option<IpAddr>,
    /// Dex's id of the HTTP request; empty when unknown.
    pub request_id: String,
}

/// What happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// An attempt succeeded.
    LoginOk,
    /// An attempt was refused, for this true reason.
    LoginFail(RefusalReason),
    /// A session went on.
    RefreshOk,
    /// A session was refused to go on.
    RefreshDenied(DenialReason),
}

/// Why an attempt was refused. Shown to operators, never to the person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalReason {
    /// What was typed as a name or as a password cannot be one.
    Malformed,
    /// No account has this name.
    UnknownName,
    /// The account has no password yet.
    NoPassword,
    /// The password is another one.
    WrongPassword,
    /// The account is disabled.
    Disabled,
}

/// Why a session may not go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DenialReason {
    /// The account is gone.
    Deleted,
    /// The account is disabled.
    Disabled,
    /// The account's earlier logins were ended.
    OldEpoch,
}

impl Event {
    /// The event's name in the trail.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LoginOk => "login.ok",
            Self::LoginFail(_) => "login.fail",
            Self::RefreshOk => "refresh.ok",
            Self::RefreshDenied(_) => "refresh.denied",
        }
    }

    /// The reason's name in the trail.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::LoginOk | Self::RefreshOk => None,
            Self::LoginFail(reason) => Some(reason.name()),
            Self::RefreshDenied(DenialReason::Deleted) => Some("deleted"),
            Self::RefreshDenied(DenialReason::Disabled) => Some("disabled"),
            Self::RefreshDenied(DenialReason::OldEpoch) => Some("old_epoch"),
        }
    }
}

impl RefusalReason {
    fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownName => "unknown_name",
            Self::NoPassword => "no_password",
            Self::WrongPassword => "wrong_password",
            Self::Disabled => "disabled",
        }
    }
}

/// One line of the trail.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Ordered by time (UUIDv7).
    pub id: Uuid,
    /// When it happened.
    pub at: DateTime<Utc>,
    /// What happened.
    pub event: Event,
    /// To which account, if to one.
    pub account: Option<AccountId>,
    /// Where it came from.
    pub origin: Origin,
}

/// Makes ids that are ordered by time: UUIDv7, RFC 9562 §5.7.
#[derive(Debug)]
pub struct Ids(Mutex<StdRng>);

impl Ids {
    /// Ids whose random part comes from `source`.
    pub fn from_source(source: &mut impl rand::Rng) -> Self {
        Self(Mutex::new(StdRng::from_rng(source)))
    }

    /// The next id at this time. Times before 1970 count as 1970.
    #[must_use]
    pub fn next(&self, now: DateTime<Utc>) -> Uuid {
        let mut random = [0; 10];
        // A poisoned generator still generates.
        self.0.lock().unwrap_or_else(PoisonError::into_inner).fill_bytes(&mut random);
        let millis = u64::try_from(now.timestamp_millis()).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(millis, &random).into_uuid()
    }
}

/// For documents and tests: what can stand in the trail. A test finds what is missing here.
impl Event {
    /// Every event with every reason.
    #[must_use]
    pub fn all() -> Vec<Self> {
        [Self::LoginOk, Self::RefreshOk]
            .into_iter()
            .chain(RefusalReason::ALL.map(Self::LoginFail))
            .chain(DenialReason::ALL.map(Self::RefreshDenied))
            .collect()
    }
}

impl RefusalReason {
    const ALL: [Self; 5] =
        [Self::Malformed, Self::UnknownName, Self::NoPassword, Self::WrongPassword, Self::Disabled];
}

impl DenialReason {
    const ALL: [Self; 3] = [Self::Deleted, Self::Disabled, Self::OldEpoch];
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
