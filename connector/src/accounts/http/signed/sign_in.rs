//! To Dex and back, and out again.

use std::sync::Arc;

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::Response;
use dex_session::{FLOW_LIFE, ReturnPath, SignInError};
use service_process::error_chain::ErrorChain;
use tracing::{debug, warn};
use url::form_urlencoded;

use super::member::{refused, seats, see_other, with_cookies};
use super::page::Page;
use super::session::{COOKIE, FLOW_COOKIE, Session};
use super::told;
use crate::accounts::http::answer::FOREIGN;
use crate::accounts::http::body::Form;
use crate::accounts::http::shared::Shared;
use crate::accounts::http::visitor::Visitor;
use crate::accounts::signed::SignedRefusal;
use crate::metrics::SIGN_INS;

/// `GET /accounts/sign-in`: on to Dex, and from there to one of our pages.
pub(super) async fn begin(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    RawQuery(query): RawQuery,
) -> Response {
    let language = visitor.language;
    let Some((_, sign_in)) = seats(&shared) else { return told::signed_out(language) };
    if let Err(refusal) = shared.service.admit_step(visitor.network) {
        return told::refused(language, &refusal.into());
    }
    let query = query.unwrap_or_default();
    let mut wanted = form_urlencoded::parse(query.as_bytes());
    let page = wanted.find(|(name, _)| name == "return_to").and_then(|(_, path)| Page::at(&path));
    let path = page.unwrap_or(Page::Profile).path();
    let return_to = ReturnPath::parse(path).expect("a page of ours is a path");
    match sign_in.begin(return_to, shared.service.core().sources).await {
        Ok(begun) => {
            let cookie = FLOW_COOKIE.keep(&begun.cookie, FLOW_LIFE);
            with_cookies(see_other(begun.location.as_str()), [cookie])
        }
        Err(error) => not_signed_in(&shared, &visitor, &error.into()),
    }
}

/// `GET /accounts/callback`: back from Dex.
pub(super) async fn callback(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let language = visitor.language;
    let Some((service, sign_in)) = seats(&shared) else { return told::signed_out(language) };
    if let Err(refusal) = shared.service.admit_step(visitor.network) {
        return told::refused(language, &refusal.into());
    }
    let sources = shared.service.core().sources;
    let flow = FLOW_COOKIE.read(&headers).ok().flatten();
    let signed_in = match sign_in.finish(flow, &query.unwrap_or_default(), sources).await {
        Ok(signed_in) => signed_in,
        // It was sent twice, or is looked at again.
        Err(SignInError::NoFlow) if Session::read(sign_in, &headers, (sources.now)()).is_some() => {
            return see_other(Page::Profile.path());
        }
        Err(error) => {
            return with_cookies(not_signed_in(&shared, &visitor, &error), over(&error));
        }
    };
    if let Some(signing) = &shared.signing {
        signing.failing.ends();
    }
    match service.admit(&signed_in.subject, signed_in.issued_at).await {
        Ok(_) => {
            count("signed_in");
            let cookies = [Session::keep(sign_in, &signed_in, sources), FLOW_COOKIE.forget()];
            with_cookies(see_other(signed_in.return_to.as_str()), cookies)
        }
        // Not of our connector: who had signed in here before stays out, too.
        Err(SignedRefusal::SignedOut) => {
            count("not_ours");
            with_cookies(told::not_ours(language), [COOKIE.forget(), FLOW_COOKIE.forget()])
        }
        Err(refusal) => with_cookies(refused(language, &refusal), [FLOW_COOKIE.forget()]),
    }
}

/// `POST /accounts/sign-out`: this browser forgets who was signed in. Dex has no session of its own that could stay.
pub(super) async fn end(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let language = visitor.language;
    if !visitor.is_ours {
        return told::fault(language, FOREIGN);
    }
    if let Err(bad) = Form::read(request, &[]).await {
        return told::fault(language, bad.into());
    }
    let told = told::signed_out_now(language, shared.app.as_deref());
    with_cookies(told, [COOKIE.forget(), FLOW_COOKIE.forget()])
}

/// What the browser forgets of a sign-in that came to nothing. An answer to another one leaves that of this browser alone.
fn over(error: &SignInError) -> Option<HeaderValue> {
    let is_of_another = matches!(error, SignInError::OtherFlow | SignInError::Malformed);
    (!is_of_another).then(|| FLOW_COOKIE.forget())
}

/// Counts and tells why nobody is signed in. Anybody can be refused as often as they like, so that is no line for who
/// looks after the service; that Dex fails, or does not fit, is one, once in a row.
fn not_signed_in(shared: &Shared, visitor: &Visitor, error: &SignInError) -> Response {
    count(outcome(error));
    let is_of_dex = matches!(error, SignInError::IdToken(_) | SignInError::Unavailable(_));
    if is_of_dex && shared.signing.as_ref().is_some_and(|signing| signing.failing.fails()) {
        warn!(error = %ErrorChain(error), "nobody can sign in to the accounts pages");
    } else {
        debug!(error = %ErrorChain(error), "somebody is not signed in to the accounts pages");
    }
    told::not_signed_in(visitor.language, error)
}

fn outcome(error: &SignInError) -> &'static str {
    match error {
        SignInError::NoFlow => "no_flow",
        SignInError::Expired => "expired",
        SignInError::OtherFlow => "other_flow",
        SignInError::Malformed => "malformed",
        SignInError::Denied => "denied",
        SignInError::CodeRefused => "code_refused",
        SignInError::IdToken(_) => "id_token",
        SignInError::Unavailable(_) => "unavailable",
    }
}

fn count(outcome: &'static str) {
    metrics::counter!(SIGN_INS, "outcome" => outcome).increment(1);
}
