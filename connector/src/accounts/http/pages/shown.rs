//! What each page shows.

use std::borrow::Cow;

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse as _, Response};

use crate::accounts::http::answer::{Answer, seconds};
use crate::accounts::http::words::{self, Fields, Words};
use crate::accounts::proved::{Next, Proved};
use crate::accounts::refusal::Refusal;
use crate::flow::{FlowPurpose, FlowToken, HandBack};
use crate::mail::Language;

/// The page that asks for the code.
pub(super) const CONFIRM: &str = "/accounts/confirm";

#[derive(Template)]
#[template(path = "begin.html")]
struct BeginPage<'a> {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    words: Words,
    fields: Fields,
    action: String,
    email: &'a str,
}

#[derive(Template)]
#[template(path = "invitation.html")]
struct InvitationPage {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    words: Words,
    fields: Fields,
    action: String,
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
    /// What is asked of a password; `None` where none is asked for.
    rules: Option<String>,
}

#[derive(Template)]
#[template(path = "told.html")]
pub(in crate::accounts::http) struct ToldPage<'a> {
    pub(in crate::accounts::http) language: &'static str,
    pub(in crate::accounts::http) title: &'static str,
    pub(in crate::accounts::http) fault: Option<String>,
    pub(in crate::accounts::http) about: &'static str,
    /// Where it goes on, and what that is called.
    pub(in crate::accounts::http) links: Vec<(Cow<'a, str>, &'static str)>,
}

/// The page that begins a flow, which leads back to this login.
pub(super) fn begin(
    language: Language,
    (purpose, hand_back): (FlowPurpose, Option<&HandBack>),
    email: &str,
    refusal: Option<&Refusal>,
) -> Response {
    let words = words::begin(language, purpose);
    let page = BeginPage {
        language: language.tag(),
        title: words.title,
        fault: refusal.map(|refusal| words::refusal(language, refusal)),
        words,
        fields: words::fields(language),
        action: first_page(purpose, hand_back),
        email,
    };
    shown(language, &page, refusal.map(Answer::from))
}

/// The page that asks for the code of an invitation.
pub(super) fn invitation(
    language: Language,
    hand_back: Option<&HandBack>,
    refusal: Option<&Refusal>,
) -> Response {
    let words = words::begin(language, FlowPurpose::Invitation);
    let page = InvitationPage {
        language: language.tag(),
        title: words.title,
        fault: refusal.map(|refusal| words::refusal(language, refusal)),
        words,
        fields: words::fields(language),
        action: first_page(FlowPurpose::Invitation, hand_back),
    };
    shown(language, &page, refusal.map(Answer::from))
}

/// The page that asks for the code of a flow.
pub(super) fn confirm(
    language: Language,
    token: &FlowToken,
    refusal: Option<&Refusal>,
) -> Response {
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

/// The page that ends a proved flow. It asks for a password of at least this length, and for a name, if the flow
/// needs them.
pub(super) fn finish(
    language: Language,
    (token, proved): (&FlowToken, &Proved),
    least: usize,
    full_name: &str,
    refusal: Option<&Refusal>,
) -> Response {
    let words = words::finish(language, proved.next);
    let page = FinishPage {
        language: language.tag(),
        title: words.title,
        fault: refusal.map(|refusal| words::refusal(language, refusal)),
        words,
        fields: words::fields(language),
        action: last_page(proved.next),
        flow: token.of_form(),
        email: &proved.email,
        full_name: matches!(proved.next, Next::Account).then_some(full_name),
        rules: match proved.next {
            Next::Account | Next::Password(_) => Some(words::rules(language, least)),
            Next::Opening(_) => None,
        },
    };
    shown(language, &page, refusal.map(Answer::from))
}

/// The end of a flow. It leads to the app, if it is known where that is.
pub(super) fn done(language: Language, words: Words, app: Option<&str>) -> Response {
    let page = ToldPage {
        language: language.tag(),
        title: words.title,
        fault: None,
        about: words.about,
        links: to_the_app(language, app),
    };
    shown(language, &page, None)
}

/// A page that only tells of a refusal.
pub(super) fn told(language: Language, refusal: &Refusal) -> Response {
    let is_of_another = matches!(refusal, Refusal::OtherFlow);
    let links =
        if is_of_another { vec![(CONFIRM.into(), words::go_on(language))] } else { Vec::new() };
    not_done(language, (words::refusal(language, refusal), refusal.into()), links, None)
}

/// The same at the end of a flow that is over: whoever was there before can sign in at the app.
pub(super) fn over(language: Language, refusal: &Refusal, app: Option<&str>) -> Response {
    let links = to_the_app(language, app);
    not_done(language, (words::refusal(language, refusal), refusal.into()), links, None)
}

/// The same where a flow that would lead back to this login is not begun: another one may be.
pub(super) fn not_begun(
    language: Language,
    refusal: &Refusal,
    hand_back: Option<&HandBack>,
) -> Response {
    let told = (words::refusal(language, refusal), refusal.into());
    not_done(language, told, Vec::new(), hand_back)
}

/// A page that tells of a request that no page of ours makes.
pub(super) fn fault(language: Language, answer: Answer) -> Response {
    not_done(language, (words::fault(language, answer).to_owned(), answer), Vec::new(), None)
}

/// With these links before those to where one can begin.
fn not_done(
    language: Language,
    (fault, answer): (String, Answer),
    mut links: Vec<(Cow<'_, str>, &'static str)>,
    hand_back: Option<&HandBack>,
) -> Response {
    let purposes =
        [FlowPurpose::SignUp, FlowPurpose::Invitation, FlowPurpose::Reset, FlowPurpose::Unlock];
    let link =
        |purpose| (first_page(purpose, hand_back).into(), words::begin(language, purpose).title);
    links.extend(purposes.map(link));
    let page = ToldPage {
        language: language.tag(),
        title: words::not_done(language),
        fault: Some(fault),
        about: "",
        links,
    };
    shown(language, &page, Some(answer))
}

fn to_the_app(language: Language, app: Option<&str>) -> Vec<(Cow<'_, str>, &'static str)> {
    app.map(|app| (app.into(), words::to_the_app(language))).into_iter().collect()
}

/// The page that a flow begins with, which leads back to this login.
fn first_page(purpose: FlowPurpose, hand_back: Option<&HandBack>) -> String {
    let path = match purpose {
        FlowPurpose::SignUp => "/accounts/sign-up",
        FlowPurpose::Reset => "/accounts/reset",
        FlowPurpose::Unlock => "/accounts/unlock",
        FlowPurpose::Invitation => "/accounts/invitation",
        FlowPurpose::EmailChange => "/accounts/email",
    };
    match hand_back {
        Some(login) => format!("{path}?{}", login.query()),
        None => path.to_owned(),
    }
}

/// The page that a proved flow ends with.
pub(super) fn last_page(next: Next) -> &'static str {
    match next {
        Next::Account => "/accounts/sign-up/finish",
        Next::Password(_) => "/accounts/reset/finish",
        Next::Opening(_) => "/accounts/unlock/finish",
    }
}

/// A page, as it is answered.
pub(in crate::accounts::http) fn shown(
    language: Language,
    page: &impl Template,
    answer: Option<Answer>,
) -> Response {
    let html = page.render().expect("text is written into a String");
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
