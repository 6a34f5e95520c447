//! What an attempt says: a name, a password, and where it comes from.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::{ExposeSecret as _, SecretString};
use service_process::network::Network;
use tokio::time::Instant;

use super::attempt::{Attempt, Purpose, Who};
use crate::account::LoginName;
use crate::audit::RefusalReason;
use crate::keys::{MacKey, NameKey};
use crate::lockout::ChargeRequest;
use crate::password::{MAX_PASSWORD_BYTES, TICKET_PREFIX};

/// Identifies an attempt: two with the same key say the same and come from the same network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) struct FlightKey {
    code: [u8; 32],
    known_only: bool,
}

/// An attempt, made ready to be verified. `Debug` shows nothing that was typed.
#[derive(Debug)]
pub(super) struct Claim {
    /// What is asked of the guard; without a name if what was typed cannot be one.
    pub(super) request: ChargeRequest,
    /// The password; `None` if what was typed cannot be one.
    pub(super) password: Option<Arc<SecretString>>,
    /// Why only known networks are let in, if so.
    pub(super) known_only: Option<RefusalReason>,
    /// Whether a ticket is as good as a password.
    takes_tickets: bool,
    /// A keyed code of name, network and password.
    code: [u8; 32],
    arrived: (DateTime<Utc>, Instant),
    /// When the caller gives up.
    pub(super) deadline: Option<Instant>,
}

impl Claim {
    /// Takes what was typed out of an attempt that came in at this time. A ticket is for the connector of this id.
    pub(super) fn from_attempt(
        attempt: Attempt,
        (key, connector_id): (&MacKey, &str),
        network: Option<Network>,
        now: DateTime<Utc>,
    ) -> Self {
        let Attempt { who: Who::Typed(typed_name), password, purpose, deadline, origin } = attempt;
        let typed_name = typed_name.expose_secret();
        let name = LoginName::parse(typed_name).ok();
        // What cannot be a name is counted too: it may still be tried again and again.
        let name_key = NameKey::from(match &name {
            Some(name) => key.mac("name", &[name.key().as_bytes()]),
            None => key.mac("no name", &[typed_name.as_bytes()]),
        });
        let from = network.map(|network| network.to_string()).unwrap_or_default();
        let typed = password.expose_secret().as_bytes();
        // Two that want something else share no verification: it may end otherwise.
        let takes_tickets = purpose != Purpose::Confirm && origin.connector_id == connector_id;
        let label = if takes_tickets { "attempt" } else { "confirmation" };
        let code = key.mac(label, &[name_key.as_bytes(), from.as_bytes(), typed]);
        let fits = typed.len() <= MAX_PASSWORD_BYTES;
        Self {
            request: ChargeRequest { name, name_key, network, known_only: false },
            password: fits.then(|| Arc::new(password)),
            known_only: None,
            takes_tickets,
            code,
            arrived: (now, Instant::now()),
            deadline,
        }
    }

    /// Lets in only who comes from a network that the account is known from: who floods a name or
    /// sprays names keeps out strangers, and never an owner.
    pub(super) fn let_in_only_known(&mut self, reason: RefusalReason) {
        self.request.known_only = true;
        self.known_only = Some(reason);
    }

    /// The key under which it shares a verification with attempts like it.
    pub(super) fn flight_key(&self) -> FlightKey {
        FlightKey { code: self.code, known_only: self.request.known_only }
    }

    /// The time now, on the clock by which it came in.
    pub(super) fn now(&self) -> DateTime<Utc> {
        let (at, since) = self.arrived;
        at + since.elapsed()
    }

    /// The ticket, if it is one that was typed as the password.
    pub(super) fn ticket(&self) -> Option<&str> {
        let typed = self.password.as_ref()?.expose_secret();
        (self.takes_tickets && typed.starts_with(TICKET_PREFIX)).then_some(typed)
    }
}
