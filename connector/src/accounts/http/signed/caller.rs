//! Who is signed in, of a request.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, header};
use chrono::{DateTime, Utc};
use dex_tokens::{Claims, TokenError, Verifier};

use super::answers::SIGNED_OUT;
use super::session::Session;
use super::{answers, refusals};
use crate::accounts::http::answer;
use crate::accounts::http::problem::Problem;
use crate::accounts::http::shared::Shared;
use crate::accounts::http::visitor::{Visitor, is_script};
use crate::accounts::signed::{Signed, SignedIn, SignedRefusal};
use crate::audit::Origin;

/// What tokens are for that are taken here: `aud`. It is the id of the pages' client in Dex.
pub const AUDIENCE: &str = "accounts";

/// To who shows nothing (RFC 6750 §3).
const SIGN_IN: &str = "Bearer";

/// To who shows what is not good, or no longer (RFC 6750 §3.1).
const INVALID_TOKEN: &str = "Bearer error=\"invalid_token\"";

/// A request of somebody who is signed in, without its body.
pub(super) struct Caller {
    /// Where it comes from, and in which language it is answered.
    pub(super) visitor: Visitor,
    /// Who it is.
    pub(super) signed: Signed,
    shared: Arc<Shared>,
}

/// Who somebody says to be, as Dex said it: verified, and not yet compared with the account.
struct Said {
    sub: String,
    issued_at: DateTime<Utc>,
}

/// A request of a script of ours, whoever is signed in there or not.
pub(super) struct Stranger {
    /// Where it comes from, and in which language it is answered.
    pub(super) visitor: Visitor,
}

impl Caller {
    /// What is done for them.
    pub(super) fn service(&self) -> Result<&SignedIn, Problem> {
        service(&self.shared, &self.visitor)
    }

    /// As the trail tells it.
    pub(super) fn origin(&self) -> Origin {
        self.visitor.origin()
    }

    /// Why something is not done, in their language.
    pub(super) fn refused(&self, refusal: &SignedRefusal) -> Problem {
        problem(&self.visitor, refusal)
    }
}

impl Stranger {
    /// What is done for people with an account.
    pub(super) fn service<'a>(&self, shared: &'a Shared) -> Result<&'a SignedIn, Problem> {
        service(shared, &self.visitor)
    }

    /// Why something is not done, in their language.
    pub(super) fn refused(&self, refusal: &SignedRefusal) -> Problem {
        problem(&self.visitor, refusal)
    }
}

impl FromRequestParts<Arc<Shared>> for Stranger {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let Ok(visitor) = Visitor::from_request_parts(parts, shared).await;
        if visitor.is_our_script {
            Ok(Self { visitor })
        } else {
            Err(Problem::told(answer::FOREIGN, None))
        }
    }
}

impl FromRequestParts<Arc<Shared>> for Caller {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Problem> {
        let Ok(visitor) = Visitor::from_request_parts(parts, shared).await;
        let Some(signing) = &shared.signing else {
            return Err(problem(&visitor, &SignedRefusal::SignedOut));
        };
        let said = match parts.headers.get(header::AUTHORIZATION) {
            // Whoever shows a token is that, whatever else comes along.
            Some(_) => by_token(&parts.headers, &signing.verifier).await,
            None => by_cookie(parts, &visitor, shared),
        }?;
        let admitted = signing.service.admit(&said.sub, said.issued_at).await;
        let signed = admitted.map_err(|refusal| problem(&visitor, &refusal))?;
        Ok(Self { visitor, signed, shared: Arc::clone(shared) })
    }
}

/// Who the cookie of the pages says to be. Browsers show it to whoever makes them call, so it counts with what only a script
/// of our own origin can send. That names no origin when it reads.
fn by_cookie(parts: &Parts, visitor: &Visitor, shared: &Shared) -> Result<Said, Problem> {
    let sign_in = shared.signing.as_ref().and_then(|signing| signing.sign_in.as_ref());
    let now = (shared.service.core().sources.now)();
    let session = sign_in.and_then(|sign_in| Session::read(sign_in, &parts.headers, now));
    let Some(Session { sub, issued_at, .. }) = session else {
        return Err(Problem::told(SIGNED_OUT, None).challenging(SIGN_IN));
    };
    let reads = parts.method == Method::GET && !parts.headers.contains_key(header::ORIGIN);
    let is_ours = visitor.is_our_script || reads && is_script(&parts.headers);
    if !is_ours {
        return Err(Problem::told(answer::FOREIGN, None));
    }
    if parts.method != Method::POST {
        // Those were counted on their way here.
        let admitted = shared.service.admit_step(visitor.network);
        admitted.map_err(|refusal| problem(visitor, &refusal.into()))?;
    }
    Ok(Said { sub, issued_at })
}

/// Who a token of Dex says to be, if it is for the accounts pages and for nobody else but the client that asked for it.
async fn by_token(headers: &HeaderMap, verifier: &Verifier) -> Result<Said, Problem> {
    let invalid = || Problem::told(SIGNED_OUT, None).challenging(INVALID_TOKEN);
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let (Some(value), None) = (values.next(), values.next()) else { return Err(invalid()) };
    let token = value.to_str().ok().and_then(bearer).ok_or_else(invalid)?;
    let claims = verifier.verify(token).await.map_err(|error| match error {
        TokenError::Unavailable => Problem::told(answer::NO_KEYS, None),
        TokenError::Invalid(_) => invalid(),
    })?;
    if !is_for_us_alone(&claims) {
        return Err(invalid());
    }
    Ok(Said { sub: claims.subject.as_str().to_owned(), issued_at: claims.issued_at })
}

/// Dex writes `aud` = `accounts` when the pages' own client asks. When another client asks that Dex trusts with that, the
/// client itself is in `aud`, too, and is `azp`. A token that a third party takes as well is refused: whoever runs that
/// could come here with it.
fn is_for_us_alone(claims: &Claims) -> bool {
    let asked = claims.authorized_party.as_deref();
    claims.audiences.iter().all(|audience| audience == AUDIENCE || Some(audience.as_str()) == asked)
}

/// The token of an `Authorization` header.
fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    // RFC 9110 §11.1: the scheme's name is case-insensitive.
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}

fn service<'a>(shared: &'a Shared, visitor: &Visitor) -> Result<&'a SignedIn, Problem> {
    let signing = shared.signing.as_ref().map(|signing| &signing.service);
    signing.ok_or_else(|| problem(visitor, &SignedRefusal::SignedOut))
}

/// Why something is not done for who is signed in, or was.
fn problem(visitor: &Visitor, refusal: &SignedRefusal) -> Problem {
    let words = refusals::refusal(visitor.language, refusal);
    let problem = Problem::told(answers::answer(refusal), Some(words));
    match refusal {
        SignedRefusal::SignedOut => problem.challenging(INVALID_TOKEN),
        _ => problem,
    }
}
