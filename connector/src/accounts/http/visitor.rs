//! Who asks: from where, in which language, in which flow, from which login, and from whose page.

use std::net::IpAddr;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use service_process::listener::Peer;
use service_process::network::Network;

use super::cookie;
use super::shared::Shared;
use crate::accounts::refusal::Refusal;
use crate::audit::Origin;
use crate::flow::{FlowToken, HandBack};
use crate::mail::Language;

/// The header that only a script of our own origin can send.
const X_SESSION: &str = "x-session";

/// A request without its body.
#[derive(Debug)]
pub(super) struct Visitor {
    /// Where from; `None` when nobody can tell.
    pub(super) address: Option<IpAddr>,
    /// The network of that address.
    pub(super) network: Option<Network>,
    /// The language of the page.
    pub(super) language: Language,
    /// The flow of this browser.
    pub(super) flow: Option<FlowToken>,
    /// The login that a flow leads back to which begins here.
    pub(super) hand_back: Option<HandBack>,
    /// It comes from a page of ours.
    pub(super) is_ours: bool,
    /// It comes from a script of ours.
    pub(super) is_our_script: bool,
    /// It comes with a token, whatever that is worth.
    has_token: bool,
}

impl FromRequestParts<Arc<Shared>> for Visitor {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(
        parts: &mut Parts,
        shared: &Arc<Shared>,
    ) -> Result<Self, Self::Rejection> {
        let headers = &parts.headers;
        let peer = parts.extensions.get::<Peer>().map(|Peer(address)| address.ip());
        let proxies = &shared.service.core().proxies;
        let address = proxies.caller(peer, headers, &shared.proxy_header);
        let is_ours = headers.get(header::ORIGIN) == Some(&shared.origin);
        Ok(Self {
            address,
            network: address.map(Network::of),
            language: language(headers),
            flow: cookie::flow(headers),
            hand_back: parts.uri.query().and_then(HandBack::parse),
            is_ours,
            is_our_script: is_ours && is_script(headers),
            has_token: headers.contains_key(header::AUTHORIZATION),
        })
    }
}

impl Visitor {
    /// Whether the network may take the step that this is, if it is one: a form or a call of ours, or a look at where a
    /// flow stands. What comes from elsewhere is refused without the database, and uses up nobody's steps.
    pub(super) fn admitted(&self, shared: &Shared, method: &Method) -> Result<(), Refusal> {
        let is_step = match *method {
            _ if self.has_token => true,
            Method::POST => self.is_ours,
            _ => self.flow.is_some(),
        };
        if is_step { shared.service.admit_step(self.network) } else { Ok(()) }
    }

    /// As the trail tells it. No connector of Dex has to do with it.
    pub(super) fn origin(&self) -> Origin {
        Origin { remote_ip: self.address, ..Origin::default() }
    }
}

/// Whether a script of our own origin sends this, or a program: the browser lets no other page send the header, and no form.
pub(super) fn is_script(headers: &HeaderMap) -> bool {
    headers.get(X_SESSION).map(HeaderValue::as_bytes) == Some(b"1")
}

/// The first language that there are words in; English without one. Browsers write them in the order of
/// preference (RFC 9110 §12.5.4), so weights are not looked at.
pub(super) fn language(headers: &HeaderMap) -> Language {
    let wanted = headers.get_all(header::ACCEPT_LANGUAGE).iter();
    let mut tags = wanted.filter_map(|value| value.to_str().ok()).flat_map(|tags| tags.split(','));
    let known = tags.find_map(|tag| {
        let primary = tag.trim().split([';', '-']).next().unwrap_or_default();
        Language::of_tag(&primary.to_ascii_lowercase())
    });
    known.unwrap_or(Language::En)
}
