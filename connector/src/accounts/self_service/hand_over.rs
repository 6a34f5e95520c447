//! The hand-over at the end of a flow.

use chrono::{DateTime, SubsecRound as _, TimeDelta, Utc};

use super::SelfService;
use crate::account::AccountId;
use crate::accounts::hand_over::{HandOver, WayBack};
use crate::audit::Origin;
use crate::flow::{FlowToken, HandBack};

impl SelfService {
    /// The way back of the flow that ends for this address, with a ticket that is good where this comes from; `None`
    /// if it leads nowhere.
    pub(super) fn way_back(
        &self,
        (token, hand_back): (&FlowToken, Option<HandBack>),
        login: &str,
        origin: &Origin,
    ) -> Option<WayBack> {
        self.dex.as_ref()?;
        let hand_back = hand_back?;
        let network = self.core.proxies.network_of(origin.remote_ip);
        let ticket = network.map(|network| (self.flows.ticket(token), network));
        Some(WayBack { hand_back, login: login.to_owned(), ticket })
    }

    /// Hands over to the login that a way leads back to, if it is still there.
    pub(super) async fn hand_over(&self, way_back: Option<WayBack>) -> Option<HandOver> {
        way_back?.hand_over(self.dex.as_ref()?).await
    }

    /// Hands over once more who sent the last page of a flow twice, for as long as nobody used its ticket. The button
    /// was pressed twice, and only the second answer is shown.
    pub(super) async fn hand_over_again(
        &self,
        token: &FlowToken,
        origin: &Origin,
    ) -> Option<(AccountId, HandOver)> {
        self.dex.as_ref()?;
        let (store, of, now) = (self.core.store.clone(), token.clone(), self.now());
        let unused = self.turns.ask(async move { store.unused_ticket(&of, now).await });
        // What it failed by is told there; who asks is told that the flow is over.
        let unused = unused.await.ok().flatten()?;
        let way_back = self.way_back((token, Some(unused.hand_back)), &unused.email, origin);
        let hand_over = self.hand_over(way_back).await?;
        self.outlast(unused.issued_at).await;
        Some((unused.account, hand_over))
    }

    /// Waits until another second has begun than the one in which sessions were ended. Dex dates sessions by whole
    /// seconds: one that begins in that second ends with those before it, and whoever is told to sign in again would
    /// be told so once more.
    pub(in crate::accounts) async fn outlast(&self, ended_at: DateTime<Utc>) {
        let next = ended_at.trunc_subsecs(0) + TimeDelta::seconds(1);
        if let Ok(rest) = (next - self.now()).to_std() {
            tokio::time::sleep(rest).await;
        }
    }
}
