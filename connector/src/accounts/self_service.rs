//! What people do about their account without being signed in: the steps of a flow, and what its end
//! changes.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use secrecy::SecretString;

use super::flows::{FlowRequest, Flows};
use super::refusal::Refusal;
use crate::account::{AccountId, Email, parse_full_name};
use crate::audit::{Entry, Event, Origin};
use crate::core::Core;
use crate::due::MailKind;
use crate::flow::{Code, FlowPurpose, FlowToken, Standing};
use crate::mail::Language;
use crate::network::Network;
use crate::password::{Caller, Credential, NewPassword, PasswordRules};
use crate::store::{Named, NewAccount, ProvedFlow, StoreError};

/// Begins flows and ends them.
#[derive(Debug)]
pub struct SelfService {
    core: Arc<Core>,
    flows: Flows,
    rules: PasswordRules,
}

/// What a proved address is good for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// To make an account with it.
    Account,
    /// To choose another password for its account.
    Password(AccountId),
}

/// An address that was proved, and what it is good for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proved {
    /// The address.
    pub email: String,
    /// What for.
    pub next: Next,
}

impl SelfService {
    /// By these parts of the process.
    #[must_use]
    pub fn new(core: Arc<Core>, flows: Flows, rules: PasswordRules) -> Self {
        Self { core, flows, rules }
    }

    /// The networks of callers are told by it.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The least length of a new password, in characters.
    #[must_use]
    pub fn least_password(&self) -> usize {
        self.rules.least
    }

    /// Forgets networks that are owed nothing any more.
    pub fn sweep(&self) {
        self.flows.sweep();
    }

    /// Begins a flow for what was typed as an address.
    pub async fn begin(
        &self,
        (purpose, typed): (FlowPurpose, &str),
        language: Language,
        network: Option<Network>,
    ) -> Result<FlowToken, Refusal> {
        let email = Email::parse(typed).map_err(Refusal::Email)?;
        let request = FlowRequest { purpose, email, language, network };
        Ok(self.flows.start(&request, self.now()).await?)
    }

    /// Has another code mailed.
    pub async fn resend(&self, token: &FlowToken, network: Option<Network>) -> Result<(), Refusal> {
        let waits = self.flows.resend(token, network, self.now()).await?;
        if waits { Ok(()) } else { Err(Refusal::NoFlow) }
    }

    /// Tries a code. The flow is known by the token that comes with it from then on.
    pub async fn confirm(
        &self,
        token: &FlowToken,
        typed: &str,
    ) -> Result<(FlowToken, Proved), Refusal> {
        let proved = self.flows.prove(token, Code::parse(typed), self.now()).await?;
        let (token, flow) = proved.ok_or(Refusal::Code)?;
        Ok((token, proved_by(flow)?))
    }

    /// What the flow of this token proved.
    pub async fn proved(&self, token: &FlowToken) -> Result<Proved, Refusal> {
        let flow = self.core.store.proved_flow(token, self.now()).await?;
        proved_by(flow.ok_or(Refusal::NoFlow)?)
    }

    /// Ends a flow with an account.
    pub async fn sign_up(
        &self,
        token: &FlowToken,
        (full_name, password): (&str, SecretString),
        origin: &Origin,
    ) -> Result<AccountId, Refusal> {
        let proved = self.proved(token).await?;
        if proved.next != Next::Account {
            return Err(Refusal::OtherPurpose);
        }
        let full_name = parse_full_name(full_name).map_err(Refusal::Name)?;
        let credential = self.hash(password, &proved.email, &full_name).await?;
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
        let made = self.core.store.settle(async |unit| {
            if unit.take_proved_flow(token, now).await?.is_none() {
                return Ok(false);
            }
            unit.create(&account, Some((&credential, false)), id, now).await?;
            unit.record(&self.entry(Event::AccountSignedUp, id.into(), origin, now)).await?;
            Ok(true)
        });
        match made.await {
            Ok(true) => Ok(id.into()),
            Ok(false) => Err(Refusal::NoFlow),
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
        let proved = self.proved(token).await?;
        let Next::Password(account) = proved.next else { return Err(Refusal::OtherPurpose) };
        let credential = self.hash(password, &proved.email, "").await?;
        let key = Email::parse(&proved.email).map_err(Refusal::Email)?.key().to_owned();
        let named = Named { emails: vec![key], ..Named::default() };
        let (now, sources) = (self.now(), self.core.sources);
        let (revocation, mail) = (sources.id(now), sources.id(now));
        let unlocked = self.entry(Event::AccountUnlocked, account, origin, now);
        let reset = self.entry(Event::AccountPasswordReset, account, origin, now);
        let done = self.core.store.settle(async |unit| {
            let flow = unit.take_proved_flow(token, now).await?;
            // The account that has the address now is the one that was asked for, or nobody's.
            let is_same = flow.is_some_and(|flow| flow.standing == Standing::Account(account));
            let existing = unit.find_named(&named).await?.pop().filter(|_| is_same);
            let Some(existing) = existing else { return Ok(false) };
            unit.put_password(&existing, &credential, revocation, now).await?;
            unit.unlock(account, &unlocked).await?;
            unit.post(MailKind::PasswordChanged, Some(account), mail, now).await?;
            unit.record(&reset).await?;
            Ok(true)
        });
        if done.await? { Ok(()) } else { Err(Refusal::NoFlow) }
    }

    async fn hash(
        &self,
        password: SecretString,
        email: &str,
        full_name: &str,
    ) -> Result<Credential, Refusal> {
        let local = email.split('@').next().unwrap_or_default();
        let words = [email, local, full_name];
        let password: NewPassword =
            self.rules.check(password, &words).map_err(Refusal::Password)?;
        Ok(self.core.pool.hash(password.into(), Caller::Stranger, None).await?)
    }

    fn entry(
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

/// What a flow is good for once it is proved. No page begins a flow to unlock.
fn proved_by(flow: ProvedFlow) -> Result<Proved, Refusal> {
    let next = match (flow.purpose, flow.standing) {
        (FlowPurpose::SignUp, Standing::Free) => Next::Account,
        (FlowPurpose::SignUp | FlowPurpose::Reset, Standing::Account(account)) => {
            Next::Password(account)
        }
        (_, Standing::Disabled) => return Err(Refusal::Disabled),
        (FlowPurpose::Reset | FlowPurpose::Unlock, _) => return Err(Refusal::OtherPurpose),
    };
    Ok(Proved { email: flow.email, next })
}
