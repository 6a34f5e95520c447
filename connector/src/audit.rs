//! What the audit trail says. An event names what happened, not what was typed.

mod event;
mod fold;

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use service_process::network::Network;
use uuid::Uuid;

pub use event::{DenialReason, Event, Proof, RefusalReason, SearchedBy};
pub use fold::{AuditFold, FoldKey, Note};

use crate::account::AccountId;
use crate::lockout::GuardKey;

/// Where a call came from, as Dex tells it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origin {
    /// Dex's connector id.
    pub connector_id: String,
    /// The person's address; `None` when Dex does not know it.
    pub remote_ip: Option<IpAddr>,
    /// Dex's id of the HTTP request; empty when unknown.
    pub request_id: String,
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
    /// When it happened, on the clock of the process that tells it.
    pub at: DateTime<Utc>,
    /// What happened; the name in the trail is [`Event::name`].
    pub event: Event,
    /// The account that it happened to, if there is one.
    pub account: Option<AccountId>,
    /// Whom it was counted for, also when the name belongs to nobody.
    pub guard_key: Option<GuardKey>,
    /// How many events the line stands for.
    pub count: u32,
    /// Where the call came from; empty for what no call caused.
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
