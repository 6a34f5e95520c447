//! Who a socket belongs to, and until when.

use chrono::{DateTime, TimeDelta, Utc};
use tokio::time::Instant;

use super::Session;
use super::end::End;
use crate::auth::{self, AuthError, Caller};
use crate::service::Service;
use crate::ws::close::Close;
use crate::ws::frame::Outbound;

/// Whose socket this is, and until when.
pub(super) struct AuthenticatedSession {
    pub(super) caller: Caller,
    /// When to say that the token will expire, until that was said.
    pub(super) warn: Option<Instant>,
    /// When the socket ends without a fresh one.
    pub(super) end: Instant,
}

impl AuthenticatedSession {
    fn new(service: &Service, caller: Caller) -> Self {
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

impl Session {
    /// Lets in whoever the token names.
    pub(super) async fn enter(&mut self, token: &str) -> Result<AuthenticatedSession, End> {
        let caller = auth::authenticate(&self.service.verifier, token).await;
        let caller = caller.map_err(|error| match error {
            AuthError::Token(dex_tokens::TokenError::Unavailable) => {
                End::Close(Close::TryAgainLater, error.to_string())
            }
            _ => End::Close(Close::BadToken, error.to_string()),
        })?;
        self.seat.belongs_to(&caller.author.user_id);
        self.welcome(caller).await
    }

    /// Goes on with a fresh token of the same person.
    pub(super) async fn renew(
        &mut self,
        authenticated: &mut AuthenticatedSession,
        token: &str,
    ) -> Result<(), End> {
        match auth::authenticate(&self.service.verifier, token).await {
            Ok(fresh) if fresh.author.user_id == authenticated.caller.author.user_id => {
                *authenticated = self.welcome(fresh).await?;
                Ok(())
            }
            Ok(_) => Err(End::Close(Close::BadToken, "the token is somebody else's".to_owned())),
            // The token that is in use still passes; the client may try again until it does not.
            Err(error @ AuthError::Token(dex_tokens::TokenError::Unavailable)) => {
                let detail = error.to_string();
                self.say(&Outbound::Error {
                    code: "keys-unavailable",
                    detail: &detail,
                    room_id: None,
                })
                .await
            }
            Err(error) => Err(End::Close(Close::BadToken, error.to_string())),
        }
    }

    async fn welcome(&mut self, caller: Caller) -> Result<AuthenticatedSession, End> {
        let user_id = &caller.author.user_id;
        self.say(&Outbound::Ready { user_id, expires_at: caller.expires_at }).await?;
        Ok(AuthenticatedSession::new(&self.service, caller))
    }
}
