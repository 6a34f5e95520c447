//! The pages: each form does one step of a flow. They need no script.

use std::sync::Arc;

use askama::Template;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse as _, Response};

use super::answer::{Answer, FOREIGN, seconds};
use super::body::{BadBody, Form};
use super::cookie;
use super::shared::Shared;
use super::visitor::Visitor;
use super::words::{self, Fields, Words};
use crate::accounts::refusal::Refusal;
use crate::accounts::self_service::{Next, Proved};
use crate::flow::{FlowPurpose, FlowToken, PROVED_LIFE, REQUEST_LIFE};
use crate::mail::Language;

const CONFIRM: &str = "/accounts/confirm";
const SIGN_UP: &str = "/accounts/sign-up";
const RESET: &str = "/accounts/reset";
const NEW_ACCOUNT: &str = "/accounts/sign-up/finish";
const NEW_PASSWORD: &str = "/accounts/reset/finish";

#[derive(Template)]
#[template(path = "begin.html")]
struct BeginPage<'a> {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    words: Words,
    fields: Fields,
    action: &'static str,
    email: &'a str,
}

#[derive(Template)]
#[template(path = "confirm.html")]
struct ConfirmPage {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    words: Words,
    fields: Fields,
    flow: String,
}

#[derive(Template)]
#[template(path = "finish.html")]
struct FinishPage<'a> {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    words: Words,
    fields: Fields,
    action: &'static str,
    flow: String,
    email: &'a str,
    /// What was typed as a name; `None` where none is asked for.
    full_name: Option<&'a str>,
    rules: String,
}

#[derive(Template)]
#[template(path = "told.html")]
struct ToldPage {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    about: &'static str,
    link: Option<(&'static str, &'static str)>,
}

/// `GET /accounts/sign-up`.
pub(super) async fn sign_up(visitor: Visitor) -> Response {
    begin_page(&visitor, FlowPurpose::SignUp, "", None)
}

/// `GET /accounts/reset`.
pub(super) async fn reset(visitor: Visitor) -> Response {
    begin_page(&visitor, FlowPurpose::Reset, "", None)
}

/// `POST /accounts/sign-up`.
pub(super) async fn begin_sign_up(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    begin(&shared, &visitor, FlowPurpose::SignUp, request).await
}

/// `POST /accounts/reset`.
pub(super) async fn begin_reset(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    begin(&shared, &visitor, FlowPurpose::Reset, request).await
}

async fn begin(
    shared: &Shared,
    visitor: &Visitor,
    purpose: FlowPurpose,
    request: Request,
) -> Response {
    let form = match form(visitor, request, &["email"]).await {
        Ok(form) => form,
        Err(refused) => return refused,
    };
    let typed = form.field("email");
    let begun = shared.service.begin((purpose, typed), visitor.language, visitor.network).await;
    match begun {
        Ok(token) => with_cookie(see_other(CONFIRM), cookie::keep(&token, REQUEST_LIFE)),
        Err(refusal) => begin_page(visitor, purpose, typed, Some(&refusal)),
    }
}

/// `GET /accounts/confirm`.
pub(super) async fn confirm_page(visitor: Visitor) -> Response {
    match &visitor.flow {
        Some(token) => confirm_form(visitor.language, token, None),
        None => told(visitor.language, &Refusal::NoFlow),
    }
}

/// `POST /accounts/confirm`.
pub(super) async fn confirm(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let (form, token) = match step(&visitor, request, &["flow", "code"]).await {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    match shared.service.confirm(&token, form.field("code")).await {
        Ok((token, proved)) => {
            with_cookie(see_other(page_of(proved.next)), cookie::keep(&token, PROVED_LIFE))
        }
        Err(refusal @ Refusal::Code) => confirm_form(visitor.language, &token, Some(&refusal)),
        Err(refusal) => told(visitor.language, &refusal),
    }
}

/// `POST /accounts/confirm/resend`.
pub(super) async fn resend(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let (_, token) = match step(&visitor, request, &["flow"]).await {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    match shared.service.resend(&token, visitor.network).await {
        Ok(()) => with_cookie(see_other(CONFIRM), cookie::keep(&token, REQUEST_LIFE)),
        Err(refusal) => told(visitor.language, &refusal),
    }
}

/// `GET /accounts/sign-up/finish` and `GET /accounts/reset/finish`: both show what the flow is good for.
pub(super) async fn finish_page(State(shared): State<Arc<Shared>>, visitor: Visitor) -> Response {
    let Some(token) = &visitor.flow else { return told(visitor.language, &Refusal::NoFlow) };
    match shared.service.proved(token).await {
        Ok(proved) => finish_form(&shared, &visitor, (token, &proved), "", None),
        Err(refusal) => told(visitor.language, &refusal),
    }
}

/// `POST /accounts/sign-up/finish`.
pub(super) async fn finish_sign_up(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let names = ["flow", "full_name", "password"];
    let (form, token) = match step(&visitor, request, &names).await {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    let (full_name, password) = (form.field("full_name"), form.field("password"));
    let typed = (full_name, password.to_owned().into());
    match shared.service.sign_up(&token, typed, &visitor.origin()).await {
        Ok(_) => done(visitor.language, true),
        Err(refusal) => asked_again(&shared, &visitor, &token, full_name, &refusal).await,
    }
}

/// `POST /accounts/reset/finish`.
pub(super) async fn finish_reset(
    State(shared): State<Arc<Shared>>,
    visitor: Visitor,
    request: Request,
) -> Response {
    let (form, token) = match step(&visitor, request, &["flow", "password"]).await {
        Ok(step) => step,
        Err(refused) => return refused,
    };
    let password = form.field("password").to_owned().into();
    match shared.service.reset(&token, password, &visitor.origin()).await {
        Ok(()) => done(visitor.language, false),
        Err(refusal) => asked_again(&shared, &visitor, &token, "", &refusal).await,
    }
}

/// The form of a page of ours, or the answer to what is none.
async fn form(visitor: &Visitor, request: Request, names: &[&str]) -> Result<Form, Response> {
    if !visitor.is_ours {
        return Err(fault(visitor.language, FOREIGN));
    }
    let read = Form::read(request, names).await;
    read.map_err(|bad: BadBody| fault(visitor.language, bad.into()))
}

/// The form of a page of this browser's flow, and that flow.
async fn step(
    visitor: &Visitor,
    request: Request,
    names: &[&str],
) -> Result<(Form, FlowToken), Response> {
    let form = form(visitor, request, names).await?;
    let refused = |refusal| told(visitor.language, &refusal);
    let token = visitor.flow.clone().ok_or_else(|| refused(Refusal::NoFlow))?;
    if form.field("flow") == token.of_form() {
        Ok((form, token))
    } else {
        Err(refused(Refusal::OtherFlow))
    }
}

fn begin_page(
    visitor: &Visitor,
    purpose: FlowPurpose,
    email: &str,
    refusal: Option<&Refusal>,
) -> Response {
    let language = visitor.language;
    let words = words::begin(language, purpose);
    let action = if purpose == FlowPurpose::SignUp { SIGN_UP } else { RESET };
    let page = BeginPage {
        language: language.tag(),
        title: words.title,
        fault: refusal.map(|refusal| words::refusal(language, refusal)),
        words,
        fields: words::fields(language),
        action,
        email,
    };
    shown(language, &page, refusal.map(Answer::from))
}

fn confirm_form(language: Language, token: &FlowToken, refusal: Option<&Refusal>) -> Response {
    let words = words::confirm(language);
    let page = ConfirmPage {
        language: language.tag(),
        title: words.title,
        fault: refusal.map(|refusal| words::refusal(language, refusal)),
        words,
        fields: words::fields(language),
        flow: token.of_form(),
    };
    shown(language, &page, refusal.map(Answer::from))
}

fn finish_form(
    shared: &Shared,
    visitor: &Visitor,
    (token, proved): (&FlowToken, &Proved),
    full_name: &str,
    refusal: Option<&Refusal>,
) -> Response {
    let language = visitor.language;
    let (words, full_name) = match proved.next {
        Next::Account => (words::account(language), Some(full_name)),
        Next::Password(_) => (words::password(language), None),
    };
    let page = FinishPage {
        language: language.tag(),
        title: words.title,
        fault: refusal.map(|refusal| words::refusal(language, refusal)),
        words,
        fields: words::fields(language),
        action: page_of(proved.next),
        flow: token.of_form(),
        email: &proved.email,
        full_name,
        rules: words::rules(language, shared.service.least_password()),
    };
    shown(language, &page, refusal.map(Answer::from))
}

/// The last page again, if what it asks for can still be done.
async fn asked_again(
    shared: &Shared,
    visitor: &Visitor,
    token: &FlowToken,
    full_name: &str,
    refusal: &Refusal,
) -> Response {
    let can_go_on = matches!(
        refusal,
        Refusal::Name(_) | Refusal::Password(_) | Refusal::Busy(_) | Refusal::Taken
    );
    let proved = if can_go_on { shared.service.proved(token).await.ok() } else { None };
    match proved {
        Some(proved) => finish_form(shared, visitor, (token, &proved), full_name, Some(refusal)),
        None => told(visitor.language, refusal),
    }
}

fn page_of(next: Next) -> &'static str {
    match next {
        Next::Account => NEW_ACCOUNT,
        Next::Password(_) => NEW_PASSWORD,
    }
}

/// The end of a flow.
fn done(language: Language, is_new: bool) -> Response {
    let words = words::done(language, is_new);
    let page = ToldPage {
        language: language.tag(),
        title: words.title,
        fault: None,
        about: words.about,
        link: None,
    };
    with_cookie(shown(language, &page, None), cookie::forget())
}

/// A page that only tells of a refusal.
fn told(language: Language, refusal: &Refusal) -> Response {
    let page = ToldPage {
        language: language.tag(),
        title: words::not_done(language),
        fault: Some(words::refusal(language, refusal)),
        about: "",
        link: Some((SIGN_UP, words::again(language))),
    };
    shown(language, &page, Some(refusal.into()))
}

fn fault(language: Language, answer: Answer) -> Response {
    let page = ToldPage {
        language: language.tag(),
        title: words::not_done(language),
        fault: Some(words::fault(language, answer).to_owned()),
        about: "",
        link: Some((SIGN_UP, words::again(language))),
    };
    shown(language, &page, Some(answer))
}

fn shown(language: Language, page: &impl Template, answer: Option<Answer>) -> Response {
    // Plain text into a `String`: there is nothing that could fail.
    let html = page.render().unwrap_or_default();
    let mut response = Html(html).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static(language.tag()));
    if let Some(Answer { status, retry_after, .. }) = answer {
        if let Some(after) = retry_after {
            headers.insert(header::RETRY_AFTER, seconds(after));
        }
        *response.status_mut() = status;
    }
    response
}

/// Only paths of ours: nobody can say where to.
fn see_other(path: &'static str) -> Response {
    let location = [(header::LOCATION, HeaderValue::from_static(path))];
    (StatusCode::SEE_OTHER, location).into_response()
}

fn with_cookie(mut response: Response, cookie: HeaderValue) -> Response {
    response.headers_mut().insert(header::SET_COOKIE, cookie);
    response
}
