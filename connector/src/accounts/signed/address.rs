//! Another e-mail address: by the password and a code that is mailed there. Who reads the mail of the one before can have
//! it back for a week.

use secrecy::SecretString;
use service_process::network::Network;

use super::SignedIn;
use super::refusal::SignedRefusal;
use super::session::Signed;
use crate::account::Email;
use crate::accounts::ending::count;
use crate::accounts::flows::FlowRequest;
use crate::accounts::refusal::Refusal;
use crate::audit::{Entry, Event, Origin};
use crate::due::MailKind;
use crate::flow::{Code, FlowPurpose, FlowToken, UndoCode};
use crate::mail::Language;

/// What became of a code.
enum Step {
    Done,
    /// It is used up, or another one counts.
    Code,
    SignedOut,
}

impl SignedIn {
    /// Has a code mailed to what was typed as the new address. Whether somebody has an account there, is not told.
    pub async fn begin_address_change(
        &self,
        signed: &Signed,
        (typed, password): (&str, SecretString),
        (language, network): (Language, Option<Network>),
        origin: &Origin,
    ) -> Result<FlowToken, SignedRefusal> {
        let email = Email::parse(typed).map_err(Refusal::Email)?;
        let flows = self.people.flows();
        flows.admit(network).map_err(Refusal::Throttled)?;
        let profile = self.confirm(signed, password, origin).await?;
        let own = profile.email.as_deref().and_then(|own| Email::parse(own).ok());
        if own.is_some_and(|own| own.key() == email.key()) {
            return Err(SignedRefusal::OwnAddress);
        }
        flows.admit_account(signed.account).map_err(Refusal::Throttled)?;
        let request = FlowRequest {
            purpose: FlowPurpose::EmailChange,
            email,
            language,
            network,
            hand_back: None,
        };
        let (flows, account, now) = (flows.clone(), signed.account, self.now());
        let begun = self
            .people
            .turns()
            .settle(Box::pin(async move { flows.start_for(Some(account), &request, now).await }));
        let token = begun.await?;
        count("begun");
        Ok(token)
    }

    /// Tries the code of a change that was begun. With the right one the account has the new address, all its sessions
    /// end, this one too, and its codes are void; the old address gets the code that brings it back.
    pub async fn confirm_address(
        &self,
        signed: &Signed,
        token: &FlowToken,
        typed: &str,
        origin: &Origin,
    ) -> Result<(), SignedRefusal> {
        let (typed, now) = (Code::parse(typed), self.now());
        let (flows, token) = (self.people.flows().clone(), token.clone());
        let (account, issued_at) = (signed.account, signed.issued_at);
        let tried = self
            .people
            .turns()
            .ask(async move { flows.try_address_code((account, &token), typed, now).await });
        let number = tried.await?.ok_or(Refusal::Code).inspect_err(|_| count("wrong_code"))?;
        count("proved");
        let sources = self.people.core().sources;
        let (undo, revocation) = (sources.id(now), sources.id(now));
        let code = self.people.flows().undo_code(undo);
        let entry = self.entry(Event::AccountEmailChanged, signed, origin, now);
        let store = self.people.core().store.clone();
        let done = self.people.turns().settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                let Some(address) = unit.take_address(account, number).await? else {
                    return Ok(Step::Code);
                };
                let Some(held) = unit.hold(account, issued_at).await? else {
                    return Ok(Step::SignedOut);
                };
                // It was asked for in a session that ended since.
                if held.sessions_ended_at.is_some_and(|ended| ended >= address.asked_at) {
                    return Ok(Step::Code);
                }
                unit.keep_address(account, (undo, &code), now).await?;
                unit.change_address(account, &address, now).await?;
                unit.end_sessions(account, revocation, now).await?;
                unit.record(&entry).await?;
                Ok(Step::Done)
            });
            settled.await
        }));
        match done.await? {
            Step::Done => {
                count("ended");
                self.people.outlast(now).await;
                Ok(())
            }
            Step::Code => Err(Refusal::Code.into()),
            Step::SignedOut => Err(SignedRefusal::SignedOut),
        }
    }

    /// Brings back the address of an account for whoever shows the code that was mailed there; nobody needs to be signed
    /// in. All sessions end, and the password opens nothing until it is reset.
    pub async fn undo_address_change(
        &self,
        typed: &str,
        network: Option<Network>,
        origin: &Origin,
    ) -> Result<(), SignedRefusal> {
        let code = UndoCode::parse(typed).map_err(|_| SignedRefusal::Undo)?;
        self.people.flows().admit(network).map_err(Refusal::Throttled)?;
        let (now, sources) = (self.now(), self.people.core().sources);
        let (revocation, mail, line) = (sources.id(now), sources.id(now), sources.id(now));
        let (store, origin) = (self.people.core().store.clone(), origin.clone());
        let undone = self.people.turns().settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                let Some(restored) = unit.restore_address(&code, now).await? else {
                    return Ok(false);
                };
                let account = restored.account;
                unit.end_sessions(account, revocation, now).await?;
                if let Some(lost) = &restored.lost {
                    let whose = (account, lost.as_str());
                    unit.post_to_former_address(MailKind::EmailChanged, whose, mail, now).await?;
                }
                let event = Event::AccountEmailRestored;
                let entry = Entry { origin, ..Entry::of_account(line, now, event, account) };
                unit.record(&entry).await?;
                Ok(true)
            });
            settled.await
        }));
        if undone.await? {
            count("ended");
            Ok(())
        } else {
            count("wrong_code");
            Err(SignedRefusal::Undo)
        }
    }
}
