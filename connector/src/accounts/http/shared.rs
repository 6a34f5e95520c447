//! What the pages share.

use std::fmt;
use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use dex_session::SignIn;
use dex_tokens::Verifier;

use crate::accounts::self_service::SelfService;
use crate::accounts::signed::SignedIn;
use crate::streak::Streak;

/// What the pages share.
#[derive(Debug)]
pub struct Shared {
    /// What they do.
    pub service: Arc<SelfService>,
    /// What they do for who is signed in, if anybody can be.
    pub signing: Option<Signing>,
    /// The origin that browsers name in requests of our pages.
    pub origin: HeaderValue,
    /// Where the app is, if that is known.
    pub app: Option<String>,
    /// The header in which a trusted proxy tells the address of whoever called it.
    pub proxy_header: HeaderName,
    /// What browsers may do with the page that hands over to Dex: its `Content-Security-Policy`.
    pub hand_over: HeaderValue,
}

/// What it takes to know who is signed in, and to see to their account.
pub struct Signing {
    /// What is done for them.
    pub service: SignedIn,
    /// Verifies their tokens.
    pub verifier: Verifier,
    /// How they sign in to the pages; `None`: there are none for them.
    pub sign_in: Option<SignIn>,
    /// Whether Dex lets nobody do that.
    pub failing: Streak,
}

impl fmt::Debug for Signing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Signing").field("service", &self.service).finish_non_exhaustive()
    }
}
