//! What the audit trail says. An event names what happened, not what was typed.

mod fold;

use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, Utc};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use uuid::Uuid;

pub use fold::{AuditFold, FoldKey, Note};

use crate::account::AccountId;
use crate::lockout::GuardKey;
use crate::network::Network;

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
    /// An attempt succeeded, by this proof.
    LoginOk(Proof),
    /// An attempt was refused, for this true reason.
    LoginFail(RefusalReason),
    /// Attempts from a network were turned away unheard. Written once a minute and network.
    LoginThrottled,
    /// More attempts on one account from one network were refused than are worth a line each.
    Folded,
    /// An account, or a name that belongs to nobody, is closed to strangers from now on.
    AccountLocked,
    /// A session went on.
    RefreshOk,
    /// A session was refused to go on.
    RefreshDenied(DenialReason),
    /// Dex forgot the sessions of an account.
    SessionsEnded,
    /// An operator created an account.
    AccountCreated,
    /// An operator forbade the use of an account.
    AccountDisabled,
    /// An operator allowed it again.
    AccountEnabled,
    /// An operator forgot the failures of an account.
    AccountUnlocked,
    /// An operator deleted an account.
    AccountDeleted,
    /// An operator changed the groups of an account.
    AccountGroupsChanged,
    /// A seed file changed names, address or groups of an account.
    AccountChanged,
    /// A seed file gave an account a password, the first or another.
    AccountPasswordSet,
}

/// What somebody showed to get in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Proof {
    /// The password.
    Password,
    /// A ticket of the accounts pages.
    Ticket,
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
    /// The ticket is used up, expired, or made for somebody else or for elsewhere.
    Ticket,
    /// The account is disabled.
    Disabled,
    /// The password has to be changed first. Its owner got mail.
    MustChange,
    /// The e-mail address is not proved, and the configuration wants that.
    UnverifiedEmail,
    /// Too many attempts failed: closed to strangers.
    Locked,
    /// Too many attempts were under way at once.
    Busy,
    /// The network tried too many names, and the account is not known there.
    Sprayed,
    /// Too many attempts with this name.
    Throttled,
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
    /// Dex is yet to forget sessions of the account. It keeps one epoch for all of them, which a
    /// new login replaces: until then an earlier session cannot be told from a later one.
    RevocationPending,
}

impl Event {
    /// The event's name in the trail.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LoginOk(_) => "login.ok",
            Self::LoginFail(_) => "login.fail",
            Self::LoginThrottled => "login.throttled",
            Self::Folded => "login.folded",
            Self::AccountLocked => "account.locked",
            Self::RefreshOk => "refresh.ok",
            Self::RefreshDenied(_) => "refresh.denied",
            Self::SessionsEnded => "sessions.ended",
            Self::AccountCreated => "account.created",
            Self::AccountDisabled => "account.disabled",
            Self::AccountEnabled => "account.enabled",
            Self::AccountUnlocked => "account.unlocked",
            Self::AccountDeleted => "account.deleted",
            Self::AccountGroupsChanged => "account.groups_changed",
            Self::AccountChanged => "account.changed",
            Self::AccountPasswordSet => "account.password_set",
        }
    }

    /// The reason's name in the trail.
    #[must_use]
    pub fn reason(self) -> Option<&'static str> {
        match self {
            Self::LoginOk(Proof::Ticket) => Some("ticket"),
            Self::LoginOk(Proof::Password)
            | Self::LoginThrottled
            | Self::Folded
            | Self::AccountLocked
            | Self::RefreshOk
            | Self::SessionsEnded
            | Self::AccountCreated
            | Self::AccountDisabled
            | Self::AccountEnabled
            | Self::AccountUnlocked
            | Self::AccountDeleted
            | Self::AccountGroupsChanged
            | Self::AccountChanged
            | Self::AccountPasswordSet => None,
            Self::LoginFail(reason) => Some(reason.name()),
            Self::RefreshDenied(DenialReason::Deleted) => Some("deleted"),
            Self::RefreshDenied(DenialReason::Disabled) => Some("disabled"),
            Self::RefreshDenied(DenialReason::OldEpoch) => Some("old_epoch"),
            Self::RefreshDenied(DenialReason::RevocationPending) => Some("revocation_pending"),
        }
    }
}

impl RefusalReason {
    /// Whether it holds whatever the password is.
    #[must_use]
    pub fn comes_before_the_password(self) -> bool {
        matches!(self, Self::Malformed | Self::UnknownName | Self::NoPassword)
    }

    /// The reason's name in the trail.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::UnknownName => "unknown_name",
            Self::NoPassword => "no_password",
            Self::WrongPassword => "wrong_password",
            Self::Ticket => "ticket",
            Self::Disabled => "disabled",
            Self::MustChange => "must_change",
            Self::UnverifiedEmail => "unverified_email",
            Self::Locked => "locked",
            Self::Busy => "busy",
            Self::Sprayed => "sprayed",
            Self::Throttled => "throttled",
        }
    }
}

/// Whom an event is about, as far as anybody knows.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Subject {
    /// The account, if it is one.
    pub account: Option<AccountId>,
    /// Whom it is counted for, also when the name belongs to nobody.
    pub guard_key: Option<GuardKey>,
    /// The network that it came from.
    pub network: Option<Network>,
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
    /// Whom it was counted for, also when the name belongs to nobody.
    pub guard_key: Option<GuardKey>,
    /// How many events the line stands for.
    pub count: u32,
    /// Where it came from.
    pub origin: Origin,
}

impl Entry {
    /// What was done to an account by nobody who signed in.
    #[must_use]
    pub fn of_account(id: Uuid, at: DateTime<Utc>, event: Event, account: AccountId) -> Self {
        let origin = Origin::default();
        Self { id, at, event, account: Some(account), guard_key: None, count: 1, origin }
    }
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

/// What can stand in the trail, for documents and for those who search it. A test finds what is
/// missing here.
impl Event {
    /// Every event with every reason.
    #[must_use]
    pub fn all() -> Vec<Self> {
        let with_reason = RefusalReason::ALL.map(Self::LoginFail).into_iter();
        let alone = [
            Self::LoginOk(Proof::Password),
            Self::LoginOk(Proof::Ticket),
            Self::LoginThrottled,
            Self::Folded,
            Self::AccountLocked,
            Self::RefreshOk,
            Self::SessionsEnded,
            Self::AccountCreated,
            Self::AccountDisabled,
            Self::AccountEnabled,
            Self::AccountUnlocked,
            Self::AccountDeleted,
            Self::AccountGroupsChanged,
            Self::AccountChanged,
            Self::AccountPasswordSet,
        ];
        with_reason.chain(DenialReason::ALL.map(Self::RefreshDenied)).chain(alone).collect()
    }
}

impl RefusalReason {
    const ALL: [Self; 12] = [
        Self::Malformed,
        Self::UnknownName,
        Self::NoPassword,
        Self::WrongPassword,
        Self::Ticket,
        Self::Disabled,
        Self::MustChange,
        Self::UnverifiedEmail,
        Self::Locked,
        Self::Busy,
        Self::Sprayed,
        Self::Throttled,
    ];
}

impl DenialReason {
    const ALL: [Self; 4] = [Self::Deleted, Self::Disabled, Self::OldEpoch, Self::RevocationPending];
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
