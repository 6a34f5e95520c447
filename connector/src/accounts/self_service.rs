//! What people do about their account without being signed in: the steps of a flow, and what its end
//! changes.

mod hand_over;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use secrecy::SecretString;
use service_process::network::Network;

use super::ending::{count, ended, take};
use super::flows::{FlowRequest, Flows};
use super::hand_over::{HandOver, WayBack};
use super::passwords::NewPasswords;
use super::proved::{Next, Proved, SignUp, SignedUp};
use super::refusal::Refusal;
use super::turns::Turns;
use crate::account::{AccountId, Email, parse_full_name};
use crate::audit::{Entry, Event, Origin};
use crate::core::Core;
use crate::dex_login::DexLogins;
use crate::due::MailKind;
use crate::flow::{Code, FlowPurpose, FlowToken, HandBack, InvitationCode, Standing};
use crate::mail::Language;
use crate::password::Credential;
use crate::store::{Named, NewAccount, ProvedFlow, StoreError};

/// Begins flows and ends them.
#[derive(Debug)]
pub struct SelfService {
    core: Arc<Core>,
    flows: Flows,
    turns: Turns,
    passwords: NewPasswords,
    sign_up: SignUp,
    /// The logins that flows lead back to, if it is known where Dex is.
    dex: Option<DexLogins>,
}

impl SelfService {
    /// By these parts of the process.
    #[must_use]
    pub(super) fn new(
        core: Arc<Core>,
        flows: Flows,
        passwords: NewPasswords,
        sign_up: SignUp,
        dex: Option<DexLogins>,
    ) -> Self {
        let turns = Turns::new(&core.store, core.tasks.clone());
        Self { core, flows, turns, passwords, sign_up, dex }
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
        hand_back: Option<HandBack>,
        language: Language,
        network: Option<Network>,
    ) -> Result<FlowToken, Refusal> {
        self.offers(purpose)?;
        let email = Email::parse(typed).map_err(Refusal::Email)?;
        self.flows.admit(network).map_err(Refusal::Throttled)?;
        let request = FlowRequest { purpose, email, language, network, hand_back };
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
        hand_back: Option<HandBack>,
        network: Option<Network>,
    ) -> Result<(FlowToken, Proved), Refusal> {
        self.offers(FlowPurpose::Invitation)?;
        let code = InvitationCode::parse(typed).map_err(|_| Refusal::Invitation)?;
        self.flows.admit(network).map_err(Refusal::Throttled)?;
        let (flows, now) = (self.flows.clone(), self.now());
        let proved =
            self.turns.ask(async move { flows.accept(&code, hand_back.as_ref(), now).await });
        let (token, flow) =
            proved.await?.ok_or(Refusal::Invitation).inspect_err(|_| count("wrong_code"))?;
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
        typed: (&str, SecretString),
        origin: &Origin,
    ) -> Result<SignedUp, Refusal> {
        match self.make_account(token, typed, origin).await {
            Err(Refusal::Over) => {
                let (account, hand_over) =
                    self.hand_over_again(token, origin).await.ok_or(Refusal::Over)?;
                Ok(SignedUp { account, hand_over: Some(hand_over) })
            }
            made => made,
        }
    }

    async fn make_account(
        &self,
        token: &FlowToken,
        (full_name, password): (&str, SecretString),
        origin: &Origin,
    ) -> Result<SignedUp, Refusal> {
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
        let issued = self.entry(Event::TicketIssued, id.into(), origin, now);
        let way_back = self.way_back((token, proved.hand_back), &proved.email, origin);
        let (store, token, way) = (self.core.store.clone(), token.clone(), way_back.clone());
        let made = self.turns.settle(Box::pin(async move {
            let settled = store.settle(async |unit| {
                if unit.take_proved_flow(&token, now).await?.is_none() {
                    return Ok(false);
                }
                unit.create(&account, Some((&credential, false)), id, now).await?;
                unit.record(&line).await?;
                if let Some(way) = &way {
                    way.issue(unit, (id.into(), &token), &issued).await?;
                }
                Ok(true)
            });
            settled.await
        }));
        let made = made.await.map_err(|error| match error {
            StoreError::Taken { .. } => Refusal::Taken,
            error => error.into(),
        });
        ended(made?)?;
        Ok(SignedUp { account: id.into(), hand_over: self.hand_over(way_back).await })
    }

    /// Ends a flow with another password for the account: it is open again to everybody, who was signed in
    /// is signed out, and its owner is told.
    pub async fn reset(
        &self,
        token: &FlowToken,
        password: SecretString,
        origin: &Origin,
    ) -> Result<Option<HandOver>, Refusal> {
        match self.replace_password(token, password, origin).await {
            Err(Refusal::Over) => {
                let (_, hand_over) =
                    self.hand_over_again(token, origin).await.ok_or(Refusal::Over)?;
                Ok(Some(hand_over))
            }
            replaced => replaced,
        }
    }

    async fn replace_password(
        &self,
        token: &FlowToken,
        password: SecretString,
        origin: &Origin,
    ) -> Result<Option<HandOver>, Refusal> {
        let proved = self.proved(token).await.map_err(Refusal::at_the_end)?;
        let Next::Password(account) = proved.next else { return Err(Refusal::OtherPurpose) };
        let username = proved.username.as_deref().unwrap_or_default();
        let owner = [proved.email.as_str(), &proved.full_name, username];
        let spare = || self.flows.admit_hash(token);
        let credential = self.hash(password, &owner, origin, spare).await?;
        let named = Named { ids: vec![account.into()], ..Named::default() };
        let (now, sources) = (self.now(), self.core.sources);
        let (revocation, mail) = (sources.id(now), sources.id(now));
        let [verified, unlocked, line, issued] = [
            Event::AccountEmailVerified,
            Event::AccountUnlocked,
            Event::AccountPasswordReset,
            Event::TicketIssued,
        ]
        .map(|event| self.entry(event, account, origin, now));
        let way_back = self.way_back((token, proved.hand_back), &proved.email, origin);
        let (store, token, way) = (self.core.store.clone(), token.clone(), way_back.clone());
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
                if let Some(way) = &way {
                    way.issue(unit, (account, &token), &issued).await?;
                }
                Ok(true)
            });
            settled.await
        }));
        ended(done.await?)?;
        let hand_over = self.hand_over(way_back).await;
        if hand_over.is_some() {
            self.outlast(now).await;
        }
        Ok(hand_over)
    }

    /// Ends a flow with an account that is open again to everybody. Its password stays, and whoever goes on at Dex
    /// types it.
    pub async fn unlock(
        &self,
        token: &FlowToken,
        origin: &Origin,
    ) -> Result<Option<HandOver>, Refusal> {
        let proved = self.proved(token).await.map_err(Refusal::at_the_end)?;
        let Next::Opening(account) = proved.next else { return Err(Refusal::OtherPurpose) };
        let now = self.now();
        let verified = self.entry(Event::AccountEmailVerified, account, origin, now);
        let line = self.entry(Event::AccountUnlocked, account, origin, now);
        let way_back = self.way_back((token, proved.hand_back), &proved.email, origin);
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
        ended(done.await?)?;
        let way_back = way_back.map(|way_back| WayBack { ticket: None, ..way_back });
        Ok(self.hand_over(way_back).await)
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
        let ProvedFlow { email, full_name, username, hand_back, .. } = flow;
        Ok(Proved { email, full_name, username, next, hand_back })
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
