//! What people do about their account without being signed in: the steps of a flow, and what its end
//! changes.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::flows::{FlowRequest, Flows};
use super::passwords::NewPasswords;
use super::proved::{Next, Proved, SignUp};
use super::refusal::Refusal;
use super::turns::Turns;
use crate::account::{AccountId, Email, parse_full_name};
use crate::audit::{Entry, Event, Origin};
use crate::core::Core;
use crate::due::MailKind;
use crate::flow::{Code, FlowPurpose, FlowToken, InvitationCode, Standing};
use crate::mail::Language;
use crate::metrics::ACCOUNT_FLOWS;
use crate::network::Network;
use crate::password::Credential;
use crate::store::{Named, NewAccount, ProvedFlow, StoreError, UnitOfWork};

/// Begins flows and ends them.
#[derive(Debug)]
pub struct SelfService {
    core: Arc<Core>,
    flows: Flows,
    turns: Turns,
    passwords: NewPasswords,
    sign_up: SignUp,
}

impl SelfService {
    /// By these parts of the process.
    #[must_use]
    pub(super) fn new(
        core: Arc<Core>,
        flows: Flows,
        passwords: NewPasswords,
        sign_up: SignUp,
    ) -> Self {
        let turns = Turns::new(&core.store, core.tasks.clone());
        Self { core, flows, turns, passwords, sign_up }
    }

    /// The networks of callers are told by it.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// Who may ask the database.
    pub(super) fn turns(&self) -> &Turns {
        &self.turns
    }

    /// What is proved by a code.
    pub(super) fn flows(&self) -> &Flows {
        &self.flows
    }

    /// The least length of a new password, in characters.
    #[must_use]
    pub fn least_password(&self) -> usize {
        self.passwords.least()
    }

    /// Forgets networks that are owed nothing any more.
    pub fn sweep(&self) {
        self.flows.sweep();
    }

    /// Whether flows of this purpose are begun at all.
    pub fn offers(&self, purpose: FlowPurpose) -> Result<(), Refusal> {
        match (purpose, self.sign_up) {
            (FlowPurpose::SignUp, SignUp::Invite) => Err(Refusal::InvitedOnly),
            (FlowPurpose::SignUp | FlowPurpose::Invitation, SignUp::Closed) => {
                Err(Refusal::SignUpClosed)
            }
            _ => Ok(()),
        }
    }

    /// Whether a network may take another step, of whatever flows: each asks the database.
    pub fn admit_step(&self, network: Option<Network>) -> Result<(), Refusal> {
        self.flows.admit_step(network).map_err(Refusal::Throttled)
    }

    /// Begins a flow for what was typed as an address.
    pub async fn begin(
        &self,
        (purpose, typed): (FlowPurpose, &str),
        language: Language,
        network: Option<Network>,
    ) -> Result<FlowToken, Refusal> {
        self.offers(purpose)?;
        let email = Email::parse(typed).map_err(Refusal::Email)?;
        self.flows.admit(network).map_err(Refusal::Throttled)?;
        let request = FlowRequest { purpose, email, language, network };
        let (flows, now) = (self.flows.clone(), self.now());
        let begun = self.turns.settle(Box::pin(async move { flows.start(&request, now).await }));
        let token = begun.await?;
        count("begun");
        Ok(token)
    }

    /// Begins a flow for what was typed as the code of an invitation.
    pub async fn accept(
        &self,
        typed: &str,
        network: Option<Network>,
    ) -> Result<(FlowToken, Proved), Refusal> {
        self.offers(FlowPurpose::Invitation)?;
        let code = InvitationCode::parse(typed).map_err(|_| Refusal::Invitation)?;
        self.flows.admit(network).map_err(Refusal::Throttled)?;
        let (flows, now) = (self.flows.clone(), self.now());
        let proved = self.turns.ask(async move { flows.accept(&code, now).await }).await?;
        let (token, flow) =
            proved.ok_or(Refusal::Invitation).inspect_err(|_| count("wrong_code"))?;
        count("proved");
        Ok((token, self.proved_by(flow)?))
    }

    /// Has another code mailed.
    pub async fn resend(&self, token: &FlowToken, network: Option<Network>) -> Result<(), Refusal> {
        let (flows, token, now) = (self.flows.clone(), token.clone(), self.now());
        let resent =
            self.turns.settle(Box::pin(async move { flows.resend(&token, network, now).await }));
        let waits = resent.await?;
        if waits { Ok(()) } else { Err(Refusal::NoFlow) }
    }

    /// Tries a code. The flow is known by the token that comes with it from then on, whatever it is good for.
    pub async fn confirm(
        &self,
        token: &FlowToken,
        typed: &str,
    ) -> Result<(FlowToken, Result<Proved, Refusal>), Refusal> {
        let (typed, now) = (Code::parse(typed), self.now());
        let (flows, token) = (self.flows.clone(), token.clone());
        let proved = self.turns.ask(async move {
            match flows.prove(&token, typed, now).await? {
                None => flows.prove_again(&token, typed, now).await,
                proved => Ok(proved),
            }
        });
        let proved = proved.await?;
        count(if proved.is_some() { "proved" } else { "wrong_code" });
        let (token, flow) = proved.ok_or(Refusal::Code)?;
        Ok((token, self.proved_by(flow)))
    }

    /// What the flow of this token proved.
    pub async fn proved(&self, token: &FlowToken) -> Result<Proved, Refusal> {
        let (store, token, now) = (self.core.store.clone(), token.clone(), self.now());
        let flow = self.turns.ask(async move { store.proved_flow(&token, now).await });
        self.proved_by(flow.await?.ok_or(Refusal::NoFlow)?)
    }

    /// Ends a flow with an account.
    pub async fn sign_up(
        &self,
        token: &FlowToken,
        (full_name, password): (&str, SecretString),
        origin: &Origin,
    ) -> Result<AccountId, Refusal> {
        let proved = self.proved(token).await.map_err(Refusal::at_the_end)?;
        if proved.next != Next::Account {
            return Err(Refusal::OtherPurpose);
        }
        let full_name = parse_full_name(full_name).map_err(Refusal::Name)?;
        let owner = [proved.email.as_str(), &full_name];
        let spare = || self.flows.admit_hash(token);
        let credential = self.hash(password, &owner, origin, spare).await?;
        let email = Email::parse(&proved.email).map_err(Refusal::Email)?;
        let account = NewAccount {
            id: None,
            username: None,
            email: Some(email),
            email_verified: true,
            full_name,
            is_active: None,
            groups: Vec::new(),
        };
        let now = self.now();
        let id = self.core.sources.id(now);
        let line = self.entry(Event::AccountSignedUp, id.into(), origin, now);
        let (store, token) = (self.core.store.clone(), token.clone());
        let made = self.turns.settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                if unit.take_proved_flow(&token, now).await?.is_none() {
                    return Ok(false);
                }
                unit.create(&account, Some((&credential, false)), id, now).await?;
                unit.record(&line).await?;
                Ok(true)
            });
            settled.await
        }));
        match made.await {
            Ok(true) => {
                count("ended");
                Ok(id.into())
            }
            Ok(false) => Err(Refusal::Over),
            Err(StoreError::Taken { .. }) => Err(Refusal::Taken),
            Err(error) => Err(error.into()),
        }
    }

    /// Ends a flow with another password for the account: it is open again to everybody, who was signed in
    /// is signed out, and its owner is told.
    pub async fn reset(
        &self,
        token: &FlowToken,
        password: SecretString,
        origin: &Origin,
    ) -> Result<(), Refusal> {
        let proved = self.proved(token).await.map_err(Refusal::at_the_end)?;
        let Next::Password(account) = proved.next else { return Err(Refusal::OtherPurpose) };
        let username = proved.username.as_deref().unwrap_or_default();
        let owner = [proved.email.as_str(), &proved.full_name, username];
        let spare = || self.flows.admit_hash(token);
        let credential = self.hash(password, &owner, origin, spare).await?;
        let named = Named { ids: vec![account.into()], ..Named::default() };
        let (now, sources) = (self.now(), self.core.sources);
        let (revocation, mail) = (sources.id(now), sources.id(now));
        let verified = self.entry(Event::AccountEmailVerified, account, origin, now);
        let unlocked = self.entry(Event::AccountUnlocked, account, origin, now);
        let line = self.entry(Event::AccountPasswordReset, account, origin, now);
        let (store, token) = (self.core.store.clone(), token.clone());
        let done = self.turns.settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                if !take(unit, &token, (account, &proved.email), &verified).await? {
                    return Ok(false);
                }
                let Some(existing) = unit.find_named(&named).await?.pop() else { return Ok(false) };
                unit.put_password(&existing, &credential, revocation, now).await?;
                // It ends what another password opened; a ticket opened this account without one.
                if !existing.has_password() {
                    unit.end_sessions(account, revocation, now).await?;
                }
                unit.unlock(account, &unlocked).await?;
                unit.post(MailKind::PasswordChanged, Some(account), mail, now).await?;
                unit.record(&line).await?;
                Ok(true)
            });
            settled.await
        }));
        ended(done.await?)
    }

    /// Ends a flow with an account that is open again to everybody. Its password stays.
    pub async fn unlock(&self, token: &FlowToken, origin: &Origin) -> Result<(), Refusal> {
        let proved = self.proved(token).await.map_err(Refusal::at_the_end)?;
        let Next::Opening(account) = proved.next else { return Err(Refusal::OtherPurpose) };
        let now = self.now();
        let verified = self.entry(Event::AccountEmailVerified, account, origin, now);
        let line = self.entry(Event::AccountUnlocked, account, origin, now);
        let (store, token) = (self.core.store.clone(), token.clone());
        let done = self.turns.settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                let is_its = take(unit, &token, (account, &proved.email), &verified).await?;
                if is_its {
                    unit.unlock(account, &line).await?;
                }
                Ok(is_its)
            });
            settled.await
        }));
        ended(done.await?)
    }

    /// Hashes a new password, if it is taken from somebody with this address and these names. Each hash is an attempt
    /// of its network, or counts where `spare` says if nobody knows that: a proved flow would otherwise be good for any
    /// number of them.
    pub(super) async fn hash(
        &self,
        password: SecretString,
        owner: &[&str],
        origin: &Origin,
        spare: impl FnOnce() -> Result<(), Duration>,
    ) -> Result<Credential, Refusal> {
        let admit = || match self.core.proxies.network_of(origin.remote_ip) {
            Some(network) => self.core.limits.admit_network(network),
            None => spare(),
        };
        self.passwords.hash(password, owner, admit).await
    }

    /// What a flow is good for once it is proved. One that was begun while people might sign up makes no account
    /// when they may not.
    fn proved_by(&self, flow: ProvedFlow) -> Result<Proved, Refusal> {
        let next = match (flow.purpose, flow.standing) {
            (purpose @ (FlowPurpose::SignUp | FlowPurpose::Invitation), Standing::Free) => {
                self.offers(purpose)?;
                Next::Account
            }
            // Its code is days old: it is good for a new account alone.
            (FlowPurpose::Invitation, _) => return Err(Refusal::Taken),
            (FlowPurpose::SignUp | FlowPurpose::Reset, Standing::Account(account)) => {
                Next::Password(account)
            }
            (FlowPurpose::Unlock, Standing::Account(account)) => Next::Opening(account),
            (_, Standing::Disabled) => return Err(Refusal::Disabled),
            // The account is gone since its code was mailed.
            (FlowPurpose::Reset | FlowPurpose::Unlock, Standing::Free) => {
                return Err(Refusal::NoFlow);
            }
            // It is proved and used at once, by who is signed in.
            (FlowPurpose::EmailChange, _) => return Err(Refusal::OtherPurpose),
        };
        let ProvedFlow { email, full_name, username, .. } = flow;
        Ok(Proved { email, full_name, username, next })
    }

    /// A line of the trail about what somebody did with an account.
    pub(super) fn entry(
        &self,
        event: Event,
        account: AccountId,
        origin: &Origin,
        now: DateTime<Utc>,
    ) -> Entry {
        let id = self.core.sources.id(now);
        Entry { origin: origin.clone(), ..Entry::of_account(id, now, event, account) }
    }

    fn now(&self) -> DateTime<Utc> {
        (self.core.sources.now)()
    }
}

/// Counts what became of a flow.
fn count(outcome: &'static str) {
    metrics::counter!(ACCOUNT_FLOWS, "outcome" => outcome).increment(1);
}

/// Counts a flow that came to its end; `false`: somebody else used it up, or it is over.
fn ended(done: bool) -> Result<(), Refusal> {
    if done {
        count("ended");
        Ok(())
    } else {
        Err(Refusal::Over)
    }
}

/// Uses a proved flow up for the account with its address, which nobody else changes from here on; this line is for
/// an address that was not proved before. `false`: the flow was used up, or the address is not the account's any more,
/// or sessions of the account were ended since it was proved.
async fn take(
    unit: &mut UnitOfWork,
    token: &FlowToken,
    (account, email): (AccountId, &str),
    verified: &Entry,
) -> Result<bool, StoreError> {
    let now = verified.at;
    let Some(proved_at) = unit.take_proved_flow(token, now).await? else { return Ok(false) };
    let Some(address) = unit.prove_address(account, (email, proved_at), now).await? else {
        return Ok(false);
    };
    if address.is_new {
        unit.record(verified).await?;
    }
    Ok(true)
}
