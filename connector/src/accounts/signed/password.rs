//! Another password, by who knows the one there is.

use secrecy::SecretString;

use super::SignedIn;
use super::refusal::SignedRefusal;
use super::session::Signed;
use crate::audit::{Event, Origin};
use crate::due::MailKind;
use crate::store::Named;

impl SignedIn {
    /// Replaces the password. All sessions of the account end, also this one, and its owner is told. The answer
    /// takes up to a second more: who signs in after it is signed in.
    pub async fn change_password(
        &self,
        signed: &Signed,
        (current, another): (SecretString, SecretString),
        origin: &Origin,
    ) -> Result<(), SignedRefusal> {
        let profile = self.confirm(signed, current, origin).await?;
        let owner = [
            profile.email.as_deref().unwrap_or_default(),
            &profile.full_name,
            profile.username.as_deref().unwrap_or_default(),
        ];
        let spare = || self.people.flows().admit_account(signed.account);
        let credential = self.people.hash(another, &owner, origin, spare).await?;
        let (now, sources) = (self.now(), self.people.core().sources);
        let entry = self.entry(Event::AccountPasswordChanged, signed, origin, now);
        let (revocation, mail) = (sources.id(now), sources.id(now));
        let (account, issued_at) = (signed.account, signed.issued_at);
        let named = Named { ids: vec![account.into()], ..Named::default() };
        let store = self.people.core().store.clone();
        let changed = self.people.turns().settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                if unit.hold(account, issued_at).await?.is_none() {
                    return Ok(false);
                }
                let Some(existing) = unit.find_named(&named).await?.pop() else { return Ok(false) };
                unit.put_password(&existing, &credential, revocation, now).await?;
                unit.post(MailKind::PasswordChanged, Some(account), mail, now).await?;
                unit.record(&entry).await?;
                Ok(true)
            });
            settled.await
        }));
        if !changed.await? {
            return Err(SignedRefusal::SignedOut);
        }
        self.people.outlast(now).await;
        Ok(())
    }
}
