//! Somebody at a page who is signed in by their cookie.

use std::sync::Arc;

use axum::extract::{FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use dex_session::SignIn;

use super::page::{Page, SIGN_IN};
use super::session::{self, Session};
use super::told;
use crate::accounts::http::answer::{Answer, FOREIGN};
use crate::accounts::http::body::Form;
use crate::accounts::http::shared::Shared;
use crate::accounts::http::visitor::Visitor;
use crate::accounts::signed::{Signed, SignedIn, SignedRefusal};
use crate::audit::Origin;
use crate::mail::Language;

/// A form of a page of which somebody signed in again.
const OTHER_SESSION: Answer =
    Answer::new(StatusCode::CONFLICT, "other-session", "Somebody signed in again");

/// Somebody at a page who is signed in by their cookie, without the body of the request.
pub(super) struct Member {
    /// Where it comes from, and in which language it is answered.
    pub(super) visitor: Visitor,
    /// Who it is.
    pub(super) signed: Signed,
    /// What the browser remembers.
    pub(super) session: Session,
    shared: Arc<Shared>,
}

impl Member {
    /// What is done for them.
    pub(super) fn service(&self) -> &SignedIn {
        let signing = self.shared.signing.as_ref();
        &signing.expect("somebody was let in").service
    }

    /// What all pages share.
    pub(super) fn shared(&self) -> &Shared {
        &self.shared
    }

    /// As the trail tells it.
    pub(super) fn origin(&self) -> Origin {
        self.visitor.origin()
    }

    /// The language of the page.
    pub(super) fn language(&self) -> Language {
        self.visitor.language
    }

    /// The form of a page of this session.
    pub(super) async fn form(&self, request: Request, names: &[&str]) -> Result<Form, Response> {
        let names = [&["session"], names].concat();
        let form = Form::read(request, &names).await;
        let form = form.map_err(|bad| told::fault(self.language(), bad.into()))?;
        if form.field("session") == self.session.of_form() {
            Ok(form)
        } else {
            Err(told::fault(self.language(), OTHER_SESSION))
        }
    }
}

impl FromRequestParts<Arc<Shared>> for Member {
    type Rejection = Response;

    async fn from_request_parts(parts: &mut Parts, shared: &Arc<Shared>) -> Result<Self, Response> {
        let Ok(visitor) = Visitor::from_request_parts(parts, shared).await;
        let language = visitor.language;
        let is_look = parts.method != Method::POST;
        if !is_look && !visitor.is_ours {
            return Err(told::fault(language, FOREIGN));
        }
        let Some((service, sign_in)) = seats(shared) else {
            return Err(told::signed_out(language));
        };
        let now = (shared.service.core().sources.now)();
        let Some(session) = Session::read(sign_in, &parts.headers, now) else {
            // What was typed into a form is lost; a page is looked at again.
            let page = Page::at(parts.uri.path()).filter(|_| is_look);
            return Err(page.map_or_else(|| told::signed_out(language), to_sign_in));
        };
        if is_look {
            // Forms were counted on their way here.
            let admitted = shared.service.admit_step(visitor.network);
            admitted.map_err(|refusal| told::refused(language, &refusal.into()))?;
        }
        match service.admit(&session.sub, session.issued_at).await {
            Ok(signed) => Ok(Self { visitor, signed, session, shared: Arc::clone(shared) }),
            Err(refusal) => Err(refused(language, &refusal)),
        }
    }
}

/// Has somebody sign in first, and come back to a page.
fn to_sign_in(page: Page) -> Response {
    see_other(&format!("{SIGN_IN}?return_to={}", page.path()))
}

/// What it takes to sign in and to be let in.
pub(super) fn seats(shared: &Shared) -> Option<(&SignedIn, &SignIn)> {
    let signing = shared.signing.as_ref()?;
    Some((&signing.service, signing.sign_in.as_ref()?))
}

/// A page that tells of a refusal. Who is signed out is so at their browser as well.
pub(super) fn refused(language: Language, refusal: &SignedRefusal) -> Response {
    let told = told::refused(language, refusal);
    let is_out = matches!(refusal, SignedRefusal::SignedOut);
    if is_out { with_cookies(told, [session::COOKIE.forget()]) } else { told }
}

/// An answer that sets these cookies.
pub(super) fn with_cookies(
    mut response: Response,
    cookies: impl IntoIterator<Item = HeaderValue>,
) -> Response {
    for cookie in cookies {
        response.headers_mut().append(header::SET_COOKIE, cookie);
    }
    response
}

/// Only paths of ours and addresses of Dex.
pub(super) fn see_other(address: &str) -> Response {
    let location = HeaderValue::try_from(address).expect("an address is ASCII");
    (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response()
}
