//! Where Dex has people sign in with our accounts: whether a login still waits there, and one for an app that asks for
//! it. Asked as a browser asks, but nothing is followed: a person's browser goes there itself.

use std::time::Duration;

use reqwest::header::LOCATION;
use reqwest::{Client, Response, StatusCode, redirect};
use thiserror::Error;
use url::Url;

use crate::flow::{AuthorizationRequest, DexState, HandBack};
use crate::streak::Streak;

/// Somebody waits for the last page of a flow, and Dex answers in milliseconds.
const TIMEOUT: Duration = Duration::from_secs(3);

/// Where Dex is, for browsers and for us, and what it calls our connector.
#[derive(Debug, Clone)]
pub struct DexLoginSettings {
    /// Dex's issuer: where browsers find it.
    pub issuer: Url,
    /// Where it is from here, if not there.
    pub inside: Option<Url>,
    /// The id that the connector has in Dex's configuration.
    pub connector_id: String,
}

/// Dex's logins with our accounts.
#[derive(Debug)]
pub struct DexLogins {
    http: Client,
    /// The pages of our connector, as browsers find them.
    pages: Url,
    /// The same from here.
    inside: Url,
    /// Whether nobody is led to one, because Dex fails.
    pub(crate) failing: Streak,
}

/// The HTTP client cannot be made.
#[derive(Debug, Error)]
#[error("DEX_ISSUER_URL: no HTTP client can be made to ask Dex")]
pub struct InvalidDexLogin(#[source] reqwest::Error);

/// Why nobody can be led to a login.
#[derive(Debug, Error)]
pub enum NoLogin {
    /// Dex does not know the login any more, or does not take the app's request.
    #[error("Dex answered {0}")]
    Refused(StatusCode),
    /// Dex does not answer, or not in time.
    #[error("Dex does not answer")]
    Away(#[source] reqwest::Error),
}

impl DexLogins {
    /// Logins at this Dex. Nothing is asked yet.
    pub fn open(settings: &DexLoginSettings) -> Result<Self, InvalidDexLogin> {
        let DexLoginSettings { issuer, inside, connector_id } = settings;
        let http = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .timeout(TIMEOUT)
            // It is asked seldom: a connection that was kept would mostly be a broken one.
            .pool_max_idle_per_host(0)
            .build()
            .map_err(InvalidDexLogin)?;
        let pages = below(issuer, &["auth", connector_id]);
        let inside = below(inside.as_ref().unwrap_or(issuer), &["auth", connector_id]);
        Ok(Self { http, pages, inside, failing: Streak::default() })
    }

    /// The origin of Dex's pages, as browsers name it.
    #[must_use]
    pub fn origin(&self) -> String {
        self.pages.origin().ascii_serialization()
    }

    /// The address of the form by which somebody signs in: that of a login that waits, or of one that Dex makes of an
    /// app's request.
    pub async fn form(&self, hand_back: &HandBack) -> Result<Url, NoLogin> {
        match hand_back {
            HandBack::Login(state) => {
                let answer = self.ask(form(&self.inside, state)).await?;
                match answer.status() {
                    StatusCode::OK => Ok(form(&self.pages, state)),
                    status => Err(NoLogin::Refused(status)),
                }
            }
            HandBack::Request(request) => self.begin(request).await,
        }
    }

    async fn begin(&self, request: &AuthorizationRequest) -> Result<Url, NoLogin> {
        let mut address = self.inside.clone();
        address.set_query(Some(&request.query()));
        let answer = self.ask(address).await?;
        // It leads to the form, or back to the app with an error: there is no login then.
        let state = self.led_to(&answer).ok_or(NoLogin::Refused(answer.status()))?;
        Ok(form(&self.pages, &state))
    }

    /// The login whose form an answer leads to. Only its `state` is taken from there.
    fn led_to(&self, answer: &Response) -> Option<DexState> {
        let location = answer.headers().get(LOCATION)?.to_str().ok()?;
        let target = self.pages.join(location).ok()?;
        let is_form = target.origin() == self.pages.origin()
            && target.path() == below(&self.pages, &["login"]).path();
        let mut states = target.query_pairs().filter(|(name, _)| name == "state");
        let state = DexState::parse(&states.next()?.1)?;
        (is_form && answer.status().is_redirection()).then_some(state)
    }

    async fn ask(&self, address: Url) -> Result<Response, NoLogin> {
        // Errors show no address: it has the `state`.
        let answer = self.http.get(address).send().await;
        answer.map_err(|error| NoLogin::Away(error.without_url()))
    }
}

/// The form of a login, below the pages of our connector.
fn form(pages: &Url, state: &DexState) -> Url {
    let mut address = below(pages, &["login"]);
    address.set_query(Some(&format!("state={}", state.as_str())));
    address
}

/// An address with these segments after its own.
fn below(address: &Url, segments: &[&str]) -> Url {
    let mut address = address.clone();
    if let Ok(mut path) = address.path_segments_mut() {
        path.pop_if_empty().extend(segments);
    }
    address
}

#[cfg(test)]
#[path = "dex_login_tests.rs"]
mod tests;
