//! What an account says of its owner, and that all its sessions end.

use super::SignedIn;
use super::refusal::SignedRefusal;
use super::session::Signed;
use crate::account::{Phone, PhoneChange, parse_full_name};
use crate::accounts::refusal::Refusal;
use crate::audit::{Event, Origin};
use crate::store::{Profile, ProfileChange};

impl SignedIn {
    /// The account as its owner sees it.
    pub async fn profile(&self, signed: &Signed) -> Result<Profile, SignedRefusal> {
        let (store, account) = (self.people.core().store.clone(), signed.account);
        let profile = self.people.turns().ask(async move { store.profile(account).await });
        profile.await?.ok_or(SignedRefusal::SignedOut)
    }

    /// Changes the display name, the telephone number or both. A name of `None` stays.
    pub async fn change_profile(
        &self,
        signed: &Signed,
        (full_name, phone): (Option<&str>, PhoneChange<String>),
        origin: &Origin,
    ) -> Result<Profile, SignedRefusal> {
        let full_name = full_name.map(parse_full_name).transpose().map_err(Refusal::Name)?;
        let phone = match phone {
            PhoneChange::Is(typed) => PhoneChange::Is(Phone::parse(&typed)?),
            PhoneChange::Goes => PhoneChange::Goes,
            PhoneChange::Stays => PhoneChange::Stays,
        };
        let change = ProfileChange { full_name, phone };
        let entry = self.entry(Event::AccountProfileChanged, signed, origin, self.now());
        let (account, issued_at) = (signed.account, signed.issued_at);
        let store = self.people.core().store.clone();
        let held = self.people.turns().settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                let held = unit.hold(account, issued_at).await?.is_some();
                if held {
                    unit.change_profile(account, &change, &entry).await?;
                }
                Ok(held)
            });
            settled.await
        }));
        if !held.await? {
            return Err(SignedRefusal::SignedOut);
        }
        self.profile(signed).await
    }

    /// Ends all sessions of the account, also this one.
    pub async fn sign_out(&self, signed: &Signed, origin: &Origin) -> Result<(), SignedRefusal> {
        let now = self.now();
        let entry = self.entry(Event::AccountSignedOut, signed, origin, now);
        let revocation = self.people.core().sources.id(now);
        let (account, issued_at) = (signed.account, signed.issued_at);
        let store = self.people.core().store.clone();
        let held = self.people.turns().settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                let held = unit.hold(account, issued_at).await?.is_some();
                if held {
                    unit.end_sessions(account, revocation, now).await?;
                    unit.record(&entry).await?;
                }
                Ok(held)
            });
            settled.await
        }));
        if !held.await? {
            return Err(SignedRefusal::SignedOut);
        }
        self.people.outlast(now).await;
        Ok(())
    }
}
