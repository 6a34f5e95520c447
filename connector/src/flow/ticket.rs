//! Tickets: what a person whose flow has ended signs in with at once.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};

use crate::password::TICKET_PREFIX;

/// What stands in the place of a password, once and for a minute: 256 bits that nobody can guess. The database has
/// only their SHA-256. `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct Ticket(SecretString);

impl Ticket {
    /// One of a MAC.
    pub(super) fn of_mac(mac: &[u8; 32]) -> Self {
        Self(format!("{TICKET_PREFIX}{}", URL_SAFE_NO_PAD.encode(mac)).into())
    }

    /// As it is sent in the place of a password.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }

    /// As the database knows it.
    #[must_use]
    pub fn hash(&self) -> [u8; 32] {
        Sha256::digest(self.expose()).into()
    }
}
