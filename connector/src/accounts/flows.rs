//! Flows of people who are not signed in: begun for an address, proved by a code that was mailed there.
//!
//! Whether somebody has an account with the address makes no difference to what is done, or to what is
//! answered, before the address is proved: the same statements, rows and mails. What the mail says is for
//! whoever reads it.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use service_process::network::Network;
use service_process::sources::Sources;
use uuid::Uuid;

use crate::account::{AccountId, Email};
use crate::flow::{
    Code, CodeKey, CodeNumber, FlowPurpose, FlowToken, HandBack, InvalidCode, InvitationCode,
    Ticket, UndoCode,
};
use crate::limits::FlowLimits;
use crate::mail::Language;
use crate::metrics::ACCOUNT_FLOWS;
use crate::store::{NewFlow, ProvedFlow, Store, StoreError, UnitOfWork};

/// Begins flows, and has them proved.
#[derive(Debug, Clone)]
pub struct Flows {
    store: Store,
    key: CodeKey,
    limits: Arc<FlowLimits>,
    sources: Sources,
}

/// What somebody wants, and where they want it mailed.
#[derive(Debug, Clone)]
pub struct FlowRequest {
    /// What for.
    pub purpose: FlowPurpose,
    /// The address.
    pub email: Email,
    /// The language of the page.
    pub language: Language,
    /// Where from; `None` when that is not known.
    pub network: Option<Network>,
    /// Where it leads back to; `None`: nowhere.
    pub hand_back: Option<HandBack>,
}

impl Flows {
    /// Flows in this store, whose codes are made with this key.
    #[must_use]
    pub fn new(store: Store, key: CodeKey, limits: Arc<FlowLimits>, sources: Sources) -> Self {
        Self { store, key, limits, sources }
    }

    /// Forgets networks that are owed nothing any more.
    pub fn sweep(&self) {
        self.limits.sweep();
    }

    /// Whether a flow may begin in a network; if not, when one may. It says nothing about the address.
    pub fn admit(&self, network: Option<Network>) -> Result<(), Duration> {
        self.limits.admit(network)
    }

    /// Whether a network may take another step of its flows; if not, when it may.
    pub fn admit_step(&self, network: Option<Network>) -> Result<(), Duration> {
        self.limits.admit_step(network)
    }

    /// Whether another password may be hashed for a flow of which nobody knows the network; if not, when one may.
    pub fn admit_hash(&self, token: &FlowToken) -> Result<(), Duration> {
        self.limits.admit_hash(token)
    }

    /// Whether somebody who is signed in may go on, where it costs a hash of an unknown network or a mail to whomever
    /// they like; if not, when they may.
    pub fn admit_account(&self, account: AccountId) -> Result<(), Duration> {
        self.limits.admit_account(account)
    }

    /// [`start_for`](Self::start_for) nobody who is signed in.
    pub async fn start(
        &self,
        request: &FlowRequest,
        now: DateTime<Utc>,
    ) -> Result<FlowToken, StoreError> {
        self.start_for(None, request, now).await
    }

    /// Begins a flow, of the owner of this account if there is one, and has its first code mailed, unless the inbox had as
    /// much mail as it may: then the flow is there all the same, nothing tells, and no code is good.
    pub async fn start_for(
        &self,
        account: Option<AccountId>,
        request: &FlowRequest,
        now: DateTime<Utc>,
    ) -> Result<FlowToken, StoreError> {
        let token = FlowToken::new(self.sources);
        let FlowRequest { purpose, email, language, network, hand_back } = request;
        let flow = NewFlow {
            id: self.sources.id(now),
            token: &token,
            purpose: *purpose,
            email,
            language: language.tag(),
            account,
            hand_back: hand_back.as_ref(),
        };
        self.store
            .settle(async |unit| {
                let code = unit.start_flow(&flow, now).await?;
                self.mail_next(unit, (code, email.key()), *network, now).await
            })
            .await?;
        Ok(token)
    }

    /// Begins a flow of whoever shows the code of an invitation, which proves its address. `None`: there is no
    /// such invitation any more.
    pub async fn accept(
        &self,
        code: &InvitationCode,
        hand_back: Option<&HandBack>,
        now: DateTime<Utc>,
    ) -> Result<Option<(FlowToken, ProvedFlow)>, StoreError> {
        let token = FlowToken::new(self.sources);
        let flow = (self.sources.id(now), &token, hand_back);
        let proved = self.store.accept_invitation(code, flow, now).await?;
        Ok(proved.map(|proved| (token, proved)))
    }

    /// Has another code of a flow mailed, which voids the earlier ones of this flow and of no other. When
    /// the inbox had as much mail as it may, nothing happens: the last code stays good. `false`: there is no
    /// such flow that waits for a code.
    pub async fn resend(
        &self,
        token: &FlowToken,
        network: Option<Network>,
        now: DateTime<Utc>,
    ) -> Result<bool, StoreError> {
        self.store
            .settle(async |unit| {
                let Some(flow) = unit.open_flow(token, now).await? else { return Ok(false) };
                let whose = (flow.code, flow.email_key.as_str());
                self.mail_next(unit, whose, network, now).await?;
                Ok(true)
            })
            .await
    }

    /// Tries a code. `None`: it is not the one, or none is good any more: expired, used up, tried too often,
    /// voided, of another flow; which, is not said. What cannot be a code is a try as well.
    ///
    /// A flow that is proved is known by the token that comes with it, and by the old one no longer.
    pub async fn prove(
        &self,
        token: &FlowToken,
        typed: Result<Code, InvalidCode>,
        now: DateTime<Utc>,
    ) -> Result<Option<(FlowToken, ProvedFlow)>, StoreError> {
        let Some(number) = self.store.count_try((token, None), now).await? else { return Ok(None) };
        if !typed.is_ok_and(|typed| typed.is(&self.key.code(number))) {
            return Ok(None);
        }
        let token = self.key.proved(token);
        let proved = self.store.prove(number, &token, now).await?;
        Ok(proved.map(|proved| (token, proved)))
    }

    /// Answers once more to who proved a flow a moment ago: the button was pressed twice, or the answer did not
    /// arrive. It takes the token from before and the right code again, and is a try like any other.
    pub async fn prove_again(
        &self,
        token: &FlowToken,
        typed: Result<Code, InvalidCode>,
        now: DateTime<Utc>,
    ) -> Result<Option<(FlowToken, ProvedFlow)>, StoreError> {
        let token = self.key.proved(token);
        let Some(number) = self.store.count_repeat(&token, now).await? else { return Ok(None) };
        if !typed.is_ok_and(|typed| typed.is(&self.key.code(number))) {
            return Ok(None);
        }
        let proved = self.store.proved_flow(&token, now).await?;
        Ok(proved.map(|proved| (token, proved)))
    }

    /// Tries the code of an account's flow to another address, and tells which one it is. `None`: it is not the one, or
    /// none is good any more.
    pub async fn try_address_code(
        &self,
        (account, token): (AccountId, &FlowToken),
        typed: Result<Code, InvalidCode>,
        now: DateTime<Utc>,
    ) -> Result<Option<CodeNumber>, StoreError> {
        let number = self.store.count_try((token, Some(account)), now).await?;
        Ok(number.filter(|number| typed.is_ok_and(|typed| typed.is(&self.key.code(*number)))))
    }

    /// The code that undoes the change of an address with this id.
    #[must_use]
    pub fn undo_code(&self, id: Uuid) -> UndoCode {
        self.key.undo(id)
    }

    /// The ticket of a flow that was proved.
    #[must_use]
    pub fn ticket(&self, token: &FlowToken) -> Ticket {
        self.key.ticket(token)
    }

    /// Has the code after this one count and be mailed, unless the inbox had as much mail as it may. Networks
    /// that its account is known from have mails of their own, so that strangers cannot use up the owner's.
    async fn mail_next(
        &self,
        unit: &mut UnitOfWork,
        (code, email_key): (CodeNumber, &str),
        network: Option<Network>,
        now: DateTime<Utc>,
    ) -> Result<(), StoreError> {
        let known = unit.is_known_at(email_key, network, now).await?;
        if unit.charge_mail(&self.key.inbox(email_key), known, now).await? {
            let code = unit.next_code(code, now).await?;
            unit.post_code(code, self.sources.id(now), now).await?;
        } else {
            metrics::counter!(ACCOUNT_FLOWS, "outcome" => "withheld").increment(1);
        }
        Ok(())
    }
}
