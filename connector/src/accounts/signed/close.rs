//! The end of an account, by its owner.

use secrecy::SecretString;

use super::SignedIn;
use super::refusal::SignedRefusal;
use super::session::Signed;
use crate::audit::{Event, Origin};

impl SignedIn {
    /// Deletes the account with all that is its own, and ends its sessions. Its id is never used again.
    pub async fn close(
        &self,
        signed: &Signed,
        password: SecretString,
        origin: &Origin,
    ) -> Result<(), SignedRefusal> {
        self.confirm(signed, password, origin).await?;
        let now = self.now();
        let entry = self.entry(Event::AccountClosed, signed, origin, now);
        let revocation = self.people.core().sources.id(now);
        let (account, issued_at) = (signed.account, signed.issued_at);
        let store = self.people.core().store.clone();
        let closed = self.people.turns().settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                if unit.hold(account, issued_at).await?.is_none() {
                    return Ok(false);
                }
                unit.delete(account, revocation, &entry).await
            });
            settled.await
        }));
        if closed.await? { Ok(()) } else { Err(SignedRefusal::SignedOut) }
    }
}
