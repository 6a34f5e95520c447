//! The page that hands over to Dex. With a ticket it is a form that sends itself; without one, a link to Dex's.

use askama::Template;
use axum::http::{HeaderValue, header};
use axum::response::Response;

use super::shown::shown;
use crate::accounts::hand_over::HandOver;
use crate::accounts::http::policy::HAND_OVER_SCRIPT;
use crate::accounts::http::words;
use crate::flow::Ticket;
use crate::mail::Language;

#[derive(Template)]
#[template(path = "hand_over.html")]
struct HandOverPage<'a> {
    language: &'static str,
    title: &'static str,
    fault: Option<String>,
    about: &'static str,
    button: &'static str,
    form: &'a str,
    login: &'a str,
    ticket: Option<&'a str>,
    /// Where the app is, and what the link there is called.
    app: Option<(&'a str, &'static str)>,
    script: &'static str,
}

/// The end of a flow with this title, whose browser goes on at Dex; what it may do with the page is this policy.
pub(super) fn handed_over(
    language: Language,
    title: &'static str,
    (hand_over, policy): (&HandOver, &HeaderValue),
    app: Option<&str>,
) -> Response {
    let HandOver { form, login, ticket } = hand_over;
    let (about, button) = about(language, ticket.is_some());
    let page = HandOverPage {
        language: language.tag(),
        title,
        fault: None,
        about,
        button,
        form: form.as_str(),
        login,
        ticket: ticket.as_ref().map(Ticket::expose),
        app: app.map(|app| (app, words::to_the_app(language))),
        script: HAND_OVER_SCRIPT,
    };
    let mut response = shown(language, &page, None);
    if ticket.is_some() {
        response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy.clone());
    }
    response
}

/// What the page is about, and what its button does.
fn about(language: Language, signs_in: bool) -> (&'static str, &'static str) {
    match (language, signs_in) {
        (Language::En, true) => {
            ("You are being signed in. If nothing happens, press the button.", "Sign in")
        }
        (Language::En, false) => ("You can sign in now, with your password.", "Sign in"),
        (Language::De, true) => {
            ("Sie werden angemeldet. Wenn nichts geschieht, drücken Sie auf den Knopf.", "Anmelden")
        }
        (Language::De, false) => {
            ("Sie können sich jetzt anmelden, mit Ihrem Passwort.", "Anmelden")
        }
    }
}
