//! What people do about their account when they are signed in.
//!
//! Whoever shows a token or a cookie of Dex becomes a [`Signed`] by [`SignedIn::admit`]. What changes the account looks
//! again, when nobody else changes it any more: of two that end its sessions one is first, and the other is signed out.

mod address;
mod close;
mod history;
mod password;
mod profile;
mod refusal;
mod search;
mod session;

use std::sync::Arc;

pub use history::{Activity, Cursor};
pub use refusal::SignedRefusal;
pub use search::{Searched, Terms};
pub use session::Signed;

use super::self_service::SelfService;
use crate::login::Logins;

/// Sees to accounts for their owners.
#[derive(Debug)]
pub struct SignedIn {
    people: Arc<SelfService>,
    /// The one way to try a password.
    logins: Arc<Logins>,
    /// Dex's id of the connector, of which people have to be.
    connector_id: String,
    /// Who may look for the accounts of others.
    search_groups: Vec<String>,
}

impl SignedIn {
    /// By these parts of the process.
    #[must_use]
    pub fn new(
        people: Arc<SelfService>,
        logins: Arc<Logins>,
        connector_id: String,
        search_groups: Vec<String>,
    ) -> Self {
        Self { people, logins, connector_id, search_groups }
    }
}
