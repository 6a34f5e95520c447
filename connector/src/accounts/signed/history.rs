//! What happened to an account, and where from it is known.

use std::net::IpAddr;

use chrono::{DateTime, Utc};
use service_process::network::Network;
use uuid::Uuid;

use super::SignedIn;
use super::refusal::SignedRefusal;
use super::session::Signed;
use crate::audit::{Event, Origin};
use crate::store::{Happened, KnownNetwork};

/// The most lines of one page.
const LINES: u32 = 50;

/// A place in what happened: after it comes what happened before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    at: DateTime<Utc>,
    id: Uuid,
}

impl Cursor {
    /// Reads what [`expose`](Self::expose) wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (at, id) = text.split_once('_')?;
        let at = DateTime::from_timestamp_micros(at.parse().ok()?)?;
        Some(Self { at, id: Uuid::try_parse(id).ok()? })
    }

    /// As a client keeps it.
    #[must_use]
    pub fn expose(&self) -> String {
        format!("{}_{}", self.at.timestamp_micros(), self.id.simple())
    }
}

/// A part of what happened, the last first.
#[derive(Debug, Clone)]
pub struct Activity {
    /// What happened.
    pub lines: Vec<Happened>,
    /// Where what happened before begins, if there is more.
    pub next: Option<Cursor>,
}

impl SignedIn {
    /// What happened to the account: sign-ins and refused ones, and what changed who can get in.
    pub async fn activity(
        &self,
        signed: &Signed,
        before: Option<Cursor>,
    ) -> Result<Activity, SignedRefusal> {
        let (store, account) = (self.people.core().store.clone(), signed.account);
        let before = before.map(|cursor| (cursor.at, cursor.id));
        let lines = self.people.turns().ask(async move {
            let events: Vec<String> = shown().map(|event| event.name().to_owned()).collect();
            store.activity(account, &events, before, LINES + 1).await
        });
        let mut lines = lines.await?;
        let whole = usize::try_from(LINES).unwrap_or(usize::MAX);
        let has_more = lines.len() > whole;
        lines.truncate(whole);
        let next =
            lines.last().filter(|_| has_more).map(|line| Cursor { at: line.at, id: line.id });
        Ok(Activity { lines, next })
    }

    /// The networks from which the account is known, the last used first.
    pub async fn networks(&self, signed: &Signed) -> Result<Vec<KnownNetwork>, SignedRefusal> {
        let (store, account, now) = (self.people.core().store.clone(), signed.account, self.now());
        let known =
            self.people.turns().ask(async move { store.known_networks(account, now).await });
        Ok(known.await?)
    }

    /// Forgets that the account is known from the network of an address: whoever signs in from there is a stranger.
    pub async fn forget_network(
        &self,
        signed: &Signed,
        typed: &str,
        origin: &Origin,
    ) -> Result<(), SignedRefusal> {
        let address: IpAddr = typed.parse().map_err(|_| SignedRefusal::NoSuchNetwork)?;
        let network = Network::of(address);
        let entry = self.entry(Event::AccountNetworkForgotten, signed, origin, self.now());
        let (account, issued_at) = (signed.account, signed.issued_at);
        let store = self.people.core().store.clone();
        let forgotten = self.people.turns().settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                if unit.hold(account, issued_at).await?.is_none() {
                    return Ok(None);
                }
                unit.forget_network(account, network, &entry).await.map(Some)
            });
            settled.await
        }));
        if forgotten.await?.ok_or(SignedRefusal::SignedOut)? {
            Ok(())
        } else {
            Err(SignedRefusal::NoSuchNetwork)
        }
    }
}

/// The events that tell who got in, who did not, and what changed that.
fn shown() -> impl Iterator<Item = Event> {
    Event::all().into_iter().filter(|event| {
        matches!(
            event,
            Event::LoginOk(_)
                | Event::LoginFail(_)
                | Event::Folded
                | Event::AccountLocked
                | Event::AccountUnlocked
                | Event::AccountPasswordSet
                | Event::AccountPasswordReset
                | Event::AccountPasswordChanged
                | Event::AccountEmailVerified
                | Event::AccountEmailChanged
                | Event::AccountEmailRestored
                | Event::AccountNetworkForgotten
                | Event::AccountSignedOut
        )
    })
}
