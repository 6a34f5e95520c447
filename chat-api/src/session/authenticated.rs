//! Who a socket belongs to, and until when.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use crate::auth::Caller;
use crate::service::Service;

/// Whose socket this is, and until when.
pub(super) struct AuthenticatedSession {
    pub(super) caller: Caller,
    /// When to say that the token will expire, until that was said.
    pub(super) warn: Option<Instant>,
    /// When the socket ends without a fresh one.
    pub(super) end: Instant,
}

impl AuthenticatedSession {
    /// As long as the token of this caller lives, and a little longer.
    pub(super) fn new(service: &Service, caller: Caller) -> Self {
        let timeouts = &service.timeouts;
        let expires_at = caller.expires_at;
        let before = TimeDelta::from_std(timeouts.before_expiry).unwrap_or_default();
        let after = TimeDelta::from_std(timeouts.after_expiry).unwrap_or_default();
        let moment = |at: DateTime<Utc>| {
            // A token may pass for a little longer than it lives: then the rest is negative.
            Instant::now() + (at - (service.sources.now)()).to_std().unwrap_or_default()
        };
        let (warn, end) = (Some(moment(expires_at - before)), moment(expires_at + after));
        Self { caller, warn, end }
    }
}
