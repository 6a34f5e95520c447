//! What an attempt says: a name, a password, and where it comes from.

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::Instant;

use super::Attempt;
use crate::account::LoginName;
use crate::audit::RefusalReason;
use crate::keys::{MacKey, NameKey};
use crate::network::Network;
use crate::password::{MAX_PASSWORD_BYTES, TICKET_PREFIX};

/// What attempts are told apart by: two with one key are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FlightKey {
    code: [u8; 32],
    known_only: bool,
}

/// An attempt, made ready to be verified. `Debug` shows nothing that was typed.
#[derive(Debug)]
pub(super) struct Claim {
    /// The name, if what was typed can be one.
    pub(super) name: Option<LoginName>,
    /// What the name is counted under when it belongs to nobody.
    pub(super) name_key: NameKey,
    /// The password; `None` if what was typed cannot be one.
    pub(super) password: Option<SecretString>,
    /// Where from.
    pub(super) network: Option<Network>,
    /// Why only somebody from a network that the account is known from is to be heard, if so: who
    /// floods a name or sprays names keeps out strangers, and never an owner.
    pub(super) known_only: Option<RefusalReason>,
    /// A keyed code of name, network and password.
    code: [u8; 32],
    arrived: (DateTime<Utc>, Instant),
    /// When the caller gives up.
    pub(super) deadline: Option<Instant>,
}

impl Claim {
    pub(super) fn new(
        key: &MacKey,
        attempt: &Attempt,
        network: Option<Network>,
        now: DateTime<Utc>,
    ) -> Self {
        let typed_name = attempt.typed_name.expose_secret();
        let name = LoginName::parse(typed_name).ok();
        // What cannot be a name is counted too: it may still be tried again and again.
        let name_key = NameKey::from(match &name {
            Some(name) => key.mac("name", &[name.key().as_bytes()]),
            None => key.mac("no name", &[typed_name.as_bytes()]),
        });
        let from = network.map(|network| network.to_string()).unwrap_or_default();
        let typed = attempt.password.expose_secret().as_bytes();
        let code = key.mac("attempt", &[name_key.as_bytes(), from.as_bytes(), typed]);
        let fits = typed.len() <= MAX_PASSWORD_BYTES;
        Self {
            name,
            name_key,
            password: fits.then(|| attempt.password.clone()),
            network,
            known_only: None,
            code,
            arrived: (now, Instant::now()),
            deadline: attempt.deadline,
        }
    }

    /// What it shares a verification by.
    pub(super) fn flight_key(&self) -> FlightKey {
        FlightKey { code: self.code, known_only: self.known_only.is_some() }
    }

    /// The time now, on the clock by which it came in.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let (at, since) = self.arrived;
        at + since.elapsed()
    }

    /// The ticket, if it is one that was typed as the password.
    pub(super) fn ticket(&self) -> Option<&str> {
        let typed = self.password.as_ref()?.expose_secret();
        typed.starts_with(TICKET_PREFIX).then_some(typed)
    }
}
