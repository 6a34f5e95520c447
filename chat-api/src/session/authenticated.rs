//! Who a socket belongs to, and until when.

use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use service_process::network::Network;
use tokio::time::Instant;

use super::Session;
use super::end::End;
use super::notices::Notebook;
use crate::auth::{self, AuthError, Caller};
use crate::guests::GuestSeat;
use crate::service::Service;
use crate::visitor::Visitor;
use crate::ws::close::Close;
use crate::ws::frame::{Credentials, Outbound};

/// Whose socket it is.
pub(super) enum Owner {
    /// A person's, by a token.
    Person(Caller),
    /// A guest's, who has this place among those of the network.
    Guest { _seat: GuestSeat },
}

/// Whose socket this is, and until when.
pub(super) struct AuthenticatedSession {
    pub(super) owner: Owner,
    /// The same for rooms and limits.
    pub(super) visitor: Visitor,
    /// When to say that the token will expire, until that was said.
    pub(super) warn: Option<Instant>,
    /// When the socket ends without a fresh one. A guest has none that could expire.
    pub(super) end: Option<Instant>,
}

impl AuthenticatedSession {
    /// As long as the token of this caller lives, and a little longer.
    fn of_person(service: &Service, caller: Caller) -> Self {
        let timeouts = &service.timeouts;
        let expires_at = caller.expires_at;
        let before = TimeDelta::from_std(timeouts.before_expiry).unwrap_or_default();
        let after = TimeDelta::from_std(timeouts.after_expiry).unwrap_or_default();
        let moment = |at: DateTime<Utc>| {
            // A token may pass for a little longer than it lives: then the rest is negative.
            Instant::now() + (at - (service.sources.now)()).to_std().unwrap_or_default()
        };
        let visitor = Visitor::Person(caller.author.user_id.clone());
        let (warn, end) = (Some(moment(expires_at - before)), Some(moment(expires_at + after)));
        Self { owner: Owner::Person(caller), visitor, warn, end }
    }

    fn of_guest(seat: GuestSeat) -> Self {
        let visitor = Visitor::Guest(seat.network());
        Self { owner: Owner::Guest { _seat: seat }, visitor, warn: None, end: None }
    }

    /// When the token expires, if there is one.
    pub(super) fn expires_at(&self) -> Option<DateTime<Utc>> {
        match &self.owner {
            Owner::Person(caller) => Some(caller.expires_at),
            Owner::Guest { .. } => None,
        }
    }
}

impl Session {
    /// Lets in whoever that is, or a guest of the network that the socket comes from.
    pub(super) async fn enter(
        &mut self,
        credentials: Credentials,
        network: Option<Network>,
    ) -> Result<AuthenticatedSession, End> {
        let Credentials::Token(token) = credentials else { return self.enter_guest(network).await };
        let (verifier, people) = (&self.service.verifier, &self.service.people);
        let caller = auth::authenticate(verifier, people, &token).await;
        let caller = caller.map_err(|error| match error {
            AuthError::Token(dex_tokens::TokenError::Unavailable) => {
                End::Close(Close::TryAgainLater, error.to_string())
            }
            _ => End::Close(Close::BadToken, error.to_string()),
        })?;
        self.seat.belongs_to(&caller.author.user_id);
        let wake = Arc::clone(self.seat.wake());
        let notified = self.service.notices.enter(&caller.author.user_id, wake);
        self.notebook = Some(Notebook::new(notified));
        self.welcome(caller).await
    }

    async fn enter_guest(&mut self, network: Option<Network>) -> Result<AuthenticatedSession, End> {
        let network = network.ok_or_else(|| {
            End::Close(Close::BadToken, "guests are not let in: a token is needed".to_owned())
        })?;
        let seat = self.service.guests.admit(network).ok_or_else(|| {
            End::Close(Close::Rate, "too many guests of this network are here".to_owned())
        })?;
        self.say(&Outbound::Welcome { guest: true }).await?;
        Ok(AuthenticatedSession::of_guest(seat))
    }

    /// Goes on with a fresh token of the same person. A guest's socket stays a guest's.
    pub(super) async fn renew(
        &mut self,
        authenticated: &mut AuthenticatedSession,
        credentials: Credentials,
    ) -> Result<(), End> {
        let bad = |reason: &str| Err(End::Close(Close::BadToken, reason.to_owned()));
        let Owner::Person(caller) = &authenticated.owner else {
            return bad("this socket is a guest's: open another one");
        };
        let Credentials::Token(token) = credentials else {
            return bad("this socket is a person's: open another one");
        };
        let (verifier, people) = (&self.service.verifier, &self.service.people);
        match auth::authenticate(verifier, people, &token).await {
            Ok(fresh) if fresh.author.user_id == caller.author.user_id => {
                *authenticated = self.welcome(fresh).await?;
                Ok(())
            }
            Ok(_) => bad("the token is somebody else's"),
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
            Err(error) => bad(&error.to_string()),
        }
    }

    async fn welcome(&mut self, caller: Caller) -> Result<AuthenticatedSession, End> {
        let user_id = &caller.author.user_id;
        // With a fresh token somebody may have another name.
        self.visit = Some(self.service.presence.enter(&caller.author));
        self.say(&Outbound::Ready { user_id, expires_at: caller.expires_at }).await?;
        Ok(AuthenticatedSession::of_person(&self.service, caller))
    }
}
