//! Where a flow ends that began at a login: its browser is led back there, with a ticket in the place of the password.

use service_process::error_chain::ErrorChain;
use service_process::network::Network;
use tracing::{debug, warn};
use url::Url;

use crate::account::AccountId;
use crate::audit::Entry;
use crate::dex_login::{DexLogins, NoLogin};
use crate::flow::{FlowToken, HandBack, Ticket};
use crate::store::{NewTicket, StoreError, UnitOfWork};

/// How somebody goes on at Dex.
#[derive(Debug, Clone)]
pub struct HandOver {
    /// Dex's form.
    pub form: Url,
    /// What they are called there: the address of their account.
    pub login: String,
    /// What stands in the place of the password; `None`: they type it.
    pub ticket: Option<Ticket>,
}

/// The end of a flow that leads back to a login.
#[derive(Debug, Clone)]
pub(super) struct WayBack {
    /// Where to.
    pub(super) hand_back: HandBack,
    /// The address of the account.
    pub(super) login: String,
    /// What opens it; `None` where nobody knows the network that it would be good in.
    pub(super) ticket: Option<(Ticket, Network)>,
}

impl WayBack {
    /// Makes the ticket, with what the flow changes; this line tells of it.
    pub(super) async fn issue(
        &self,
        unit: &mut UnitOfWork,
        (account, flow): (AccountId, &FlowToken),
        line: &Entry,
    ) -> Result<(), StoreError> {
        let Some((ticket, network)) = &self.ticket else { return Ok(()) };
        let (network, hand_back) = (*network, &self.hand_back);
        unit.issue_ticket(&NewTicket { ticket, account, network, flow, hand_back }, line).await
    }

    /// Asks Dex for the form that it leads to. `None`: there is no such login any more, or Dex is away. The app is
    /// where people begin again then.
    pub(super) async fn hand_over(self, dex: &DexLogins) -> Option<HandOver> {
        let Self { hand_back, login, ticket } = self;
        match dex.form(&hand_back).await {
            Ok(form) => {
                dex.failing.ends();
                Some(HandOver { form, login, ticket: ticket.map(|(ticket, _)| ticket) })
            }
            // It waited for an hour, or was finished, or the app asks for what it may not have.
            Err(NoLogin::Refused(status)) if !status.is_server_error() => None,
            Err(error) => {
                let is_first = dex.failing.fails();
                let error = ErrorChain(&error);
                if is_first {
                    warn!(%error, "nobody is handed back to a login");
                } else {
                    debug!(%error, "one more is not handed back to a login");
                }
                None
            }
        }
    }
}
