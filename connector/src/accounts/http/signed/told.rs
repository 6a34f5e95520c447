//! Pages that only tell something: that it is done, or why not.

use axum::response::Response;
use dex_session::SignInError;

use super::answers::{SIGNED_OUT, answer};
use super::page::Page;
use super::page_words::{self, Done};
use super::refusals;
use crate::accounts::http::answer::Answer;
use crate::accounts::http::pages::shown::{ToldPage, shown};
use crate::accounts::http::words::{self, Words};
use crate::accounts::signed::SignedRefusal;
use crate::flow::FlowPurpose;
use crate::mail::Language;

/// An address is back.
pub(super) fn restored(language: Language) -> Response {
    let reset = words::begin(language, FlowPurpose::Reset).title;
    told(language, page_words::done(language, Done::Restored), vec![("/accounts/reset", reset)])
}

/// Something is done with which the session is over.
pub(super) fn done(language: Language, done: Done, app: Option<&str>) -> Response {
    let mut links = Vec::new();
    if !matches!(done, Done::Closed) {
        links.push((Page::Profile.path(), page_words::sign_in(language)));
    }
    links.extend(app.map(|app| (app, words::to_the_app(language))));
    told(language, page_words::done(language, done), links)
}

/// This browser has forgotten who was signed in.
pub(super) fn signed_out_now(language: Language, app: Option<&str>) -> Response {
    done(language, Done::SignedOut, app)
}

/// Nobody is signed in, or not any more.
pub(super) fn signed_out(language: Language) -> Response {
    refused(language, &SignedRefusal::SignedOut)
}

/// A page that tells of a refusal.
pub(super) fn refused(language: Language, refusal: &SignedRefusal) -> Response {
    not_done(language, refusals::refusal(language, refusal), answer(refusal))
}

/// A page that tells of a request that no page of ours makes.
pub(super) fn fault(language: Language, answer: Answer) -> Response {
    not_done(language, page_words::fault(language, answer), answer)
}

/// Dex let somebody in whose account is none of ours.
pub(super) fn not_ours(language: Language) -> Response {
    not_done(language, page_words::not_ours(language).to_owned(), SIGNED_OUT)
}

/// A page that tells why nobody is signed in.
pub(super) fn not_signed_in(language: Language, error: &SignInError) -> Response {
    not_done(
        language,
        page_words::not_signed_in(language, error).to_owned(),
        page_words::answer(error),
    )
}

fn not_done(language: Language, fault: String, answer: Answer) -> Response {
    let page = ToldPage {
        language: language.tag(),
        title: words::not_done(language),
        fault: Some(fault),
        about: "",
        links: vec![(Page::Profile.path().into(), page_words::sign_in(language))],
    };
    shown(language, &page, Some(answer))
}

fn told(
    language: Language,
    Words { title, about, .. }: Words,
    links: Vec<(&str, &'static str)>,
) -> Response {
    let links = links.into_iter().map(|(path, name)| (path.into(), name)).collect();
    let page = ToldPage { language: language.tag(), title, fault: None, about, links };
    shown(language, &page, None)
}
