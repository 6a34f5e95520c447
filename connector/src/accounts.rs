//! The role `accounts`: what people do about their account, by pages and as JSON. In it the [`Flows`] of those
//! who are not signed in, and what comes of them ([`SelfService`]); and what those do who are ([`SignedIn`]).

mod ending;
mod flows;
mod hand_over;
mod http;
mod passwords;
mod proved;
mod refusal;
mod self_service;
mod signed;
mod turns;

use std::sync::Arc;

use axum::http::{HeaderName, HeaderValue};
use dex_session::SignIn;
use dex_tokens::{ConfigError, Verifier, VerifierConfig};
use service_process::admin::Readiness;
use service_process::lifecycle::Tasks;
use service_process::listener::Listener;

pub use flows::{FlowRequest, Flows};
pub use hand_over::HandOver;
pub use http::{AUDIENCE, Shared, Signing};
pub use proved::{Next, Proved, SignUp, SignedUp};
pub use refusal::Refusal;
pub use self_service::SelfService;
pub use signed::{Activity, Cursor, Searched, Signed, SignedIn, SignedRefusal, Terms};

use passwords::NewPasswords;

use crate::core::Core;
use crate::dex_login::DexLogins;
use crate::flow::CodeKey;
use crate::limits::{FlowLimits, FlowRates, SWEEP_EVERY};
use crate::login::Logins;
use crate::password::{Breaches, PasswordRules};
use crate::streak::Streak;

/// What the pages are made from: settings checked, files read.
#[derive(Debug)]
pub struct PageSettings {
    /// The origin that browsers name in requests of our pages.
    pub origin: HeaderValue,
    /// What the service is called, as far as its address says: no password is made of that.
    pub product: Vec<String>,
    /// Where the app is, if that is known.
    pub app: Option<String>,
    /// The header in which a trusted proxy tells the address of whoever called it.
    pub proxy_header: HeaderName,
    /// What codes are made with.
    pub codes: CodeKey,
    /// How many flows one network may begin.
    pub rates: FlowRates,
    /// What is asked of a new password.
    pub rules: PasswordRules,
    /// Who is asked whether it was stolen.
    pub breaches: Option<Breaches>,
    /// Who may make an account.
    pub sign_up: SignUp,
    /// What the tokens of who is signed in are verified against; `None`: nobody is.
    pub tokens: Option<VerifierConfig>,
    /// How they sign in to the pages; `None`: there are none for them.
    pub sign_in: Option<SignIn>,
    /// Dex's id of the connector, of which they have to be.
    pub connector_id: String,
    /// Who may look for the accounts of others.
    pub search_groups: Vec<String>,
    /// The logins that flows lead back to, if it is known where Dex is.
    pub dex: Option<DexLogins>,
    /// The origins that Dex redirects browsers to.
    pub app_origins: Vec<String>,
}

impl PageSettings {
    /// The pages, by these parts of the process.
    pub fn open(self, core: Arc<Core>, logins: Arc<Logins>) -> Result<Arc<Shared>, ConfigError> {
        let limits = Arc::new(FlowLimits::new(self.rates));
        let flows = Flows::new(core.store.clone(), self.codes, limits, core.sources);
        let tasks = core.tasks.clone();
        let now = core.sources.now;
        let dex = self.dex.as_ref().map(DexLogins::origin);
        let hand_over = http::handing_over(dex.iter().chain(&self.app_origins));
        let rules = (self.rules, self.product);
        let passwords = NewPasswords::new(Arc::clone(&core), rules, self.breaches);
        let service = Arc::new(SelfService::new(core, flows, passwords, self.sign_up, self.dex));
        let signing = match self.tokens {
            Some(config) => {
                let (verifier, keys) = Verifier::new(config, now)?;
                // Keys are needed until the last request is answered.
                tasks.spawn(keys.run(tasks.aborting().clone().cancelled_owned()));
                let people = Arc::clone(&service);
                let service = SignedIn::new(people, logins, self.connector_id, self.search_groups);
                let failing = Streak::default();
                Some(Signing { service, verifier, sign_in: self.sign_in, failing })
            }
            None => None,
        };
        let Self { origin, app, proxy_header, .. } = self;
        Ok(Arc::new(Shared { service, signing, origin, app, proxy_header, hand_over }))
    }
}

/// Serves until a stop has let the requests under way finish. Without pages there is health alone.
pub fn serve(listener: Listener, readiness: Readiness, pages: Option<Arc<Shared>>, tasks: &Tasks) {
    if let Some(shared) = pages.clone() {
        look_after(shared, tasks);
    }
    let stop = tasks.stopping().clone().cancelled_owned();
    let aborting = tasks.aborting().clone();
    tasks.worker("accounts", async move {
        aborting.run_until_cancelled(listener.serve(http::router(readiness, pages), stop)).await;
        Ok(())
    });
}

/// Forgets networks that are owed nothing any more.
fn look_after(shared: Arc<Shared>, tasks: &Tasks) {
    let stopping = tasks.stopping().clone();
    tasks.worker("flow-limits", async move {
        let mut tick = tokio::time::interval(SWEEP_EVERY);
        while stopping.run_until_cancelled(tick.tick()).await.is_some() {
            let swept = Arc::clone(&shared);
            // It may walk through millions of keys.
            tokio::task::spawn_blocking(move || swept.service.sweep()).await?;
        }
        Ok(())
    });
}
