//! Who is signed in, and that they show their password once more.

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::SignedIn;
use super::refusal::SignedRefusal;
use crate::account::AccountId;
use crate::accounts::refusal::Refusal;
use crate::audit::{Entry, Event, Origin};
use crate::dex_api::account_of;
use crate::login::{Attempt, Outcome, Purpose, Who};
use crate::store::Profile;

/// Somebody who is signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signed {
    /// Whose account it is.
    pub account: AccountId,
    /// When they signed in, by Dex's clock, in whole seconds.
    pub issued_at: DateTime<Utc>,
    /// The groups of the account, as they are stored: a token's may be old.
    pub groups: Vec<String>,
}

impl SignedIn {
    /// Lets somebody in whom a verified token, or whatever was made of one, says to be this `sub` since then.
    pub async fn admit(
        &self,
        sub: &str,
        issued_at: DateTime<Utc>,
    ) -> Result<Signed, SignedRefusal> {
        let account = account_of(sub, &self.connector_id).ok_or(SignedRefusal::SignedOut)?;
        let store = self.people.core().store.clone();
        let groups =
            self.people.turns().ask(async move { store.signed_in(account, issued_at).await });
        let groups = groups.await?.ok_or(SignedRefusal::SignedOut)?;
        Ok(Signed { account, issued_at, groups })
    }

    /// The account, if this is its password: an attempt like any other, which counts as one.
    pub(super) async fn confirm(
        &self,
        signed: &Signed,
        password: SecretString,
        origin: &Origin,
    ) -> Result<Profile, SignedRefusal> {
        let profile = self.profile(signed).await?;
        let name = profile.username.clone().or_else(|| profile.email.clone());
        let attempt = Attempt {
            who: Who::Typed(name.unwrap_or_default().into()),
            password,
            purpose: Purpose::Confirm,
            origin: origin.clone(),
            deadline: None,
        };
        match self.logins.attempt(attempt, self.now()).await? {
            // The name may be another's since it was read.
            Outcome::Granted(identity) if identity.id == signed.account => Ok(profile),
            Outcome::Granted(_) | Outcome::Refused(_) => Err(SignedRefusal::WrongPassword),
            Outcome::Throttled(after) => Err(Refusal::Throttled(after).into()),
        }
    }

    /// A line of the trail about something that somebody did.
    pub(super) fn entry(
        &self,
        event: Event,
        signed: &Signed,
        origin: &Origin,
        now: DateTime<Utc>,
    ) -> Entry {
        self.people.entry(event, signed.account, origin, now)
    }

    pub(super) fn now(&self) -> DateTime<Utc> {
        (self.people.core().sources.now)()
    }
}
