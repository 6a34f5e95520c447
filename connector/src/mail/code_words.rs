//! The words of mail with a code.

use super::language::Language;
use super::letter::Letter;
use crate::flow::{Code, FlowPurpose, InvitationCode, Standing};

/// The mail of a flow.
#[must_use]
pub fn code_letter(
    language: Language,
    service: &str,
    (purpose, standing): (FlowPurpose, Standing),
    code: &Code,
) -> Letter {
    let wants = match (purpose, standing) {
        (FlowPurpose::SignUp, Standing::Account(_)) => Wants::AnotherAccount,
        (FlowPurpose::SignUp | FlowPurpose::Invitation, _) => Wants::Account,
        (FlowPurpose::Reset, Standing::Account(_)) => Wants::Password,
        (FlowPurpose::Unlock, Standing::Account(_)) => Wants::Opening,
        (FlowPurpose::Reset | FlowPurpose::Unlock, _) => Wants::Nothing,
        (FlowPurpose::EmailChange, Standing::Free) => Wants::Address,
        (FlowPurpose::EmailChange, _) => Wants::TakenAddress,
    };
    let (subject, what, then) = match language {
        Language::En => english(service, wants),
        Language::De => german(service, wants),
    };
    let mut paragraphs = vec![what];
    // Without an account there is nothing to prove, and one that has the address keeps it.
    if !matches!(wants, Wants::Nothing | Wants::TakenAddress) {
        paragraphs.push(code.expose());
    }
    paragraphs.push(then.to_owned());
    Letter { language, subject: format!("{service}: {subject}"), paragraphs }
}

/// The mail of an invitation. `pages` is where the accounts pages are, if that is known.
#[must_use]
pub fn invitation_letter(
    language: Language,
    service: &str,
    pages: Option<&str>,
    code: &InvitationCode,
) -> Letter {
    let page = pages.map(|pages| format!("{pages}/invitation"));
    let (subject, what, then) = match language {
        Language::En => (
            "you are invited",
            match page {
                Some(page) => format!(
                    "Whoever runs {service} invites you to make an account. Type this code at {page}:"
                ),
                None => format!(
                    "Whoever runs {service} invites you to make an account. Type this code on its page \
                     for invitations:"
                ),
            },
            "The code is good for seven days and for one account. Nobody who works here asks you for it. If \
             you want no account, do nothing.",
        ),
        Language::De => (
            "Sie sind eingeladen",
            match page {
                Some(page) => format!(
                    "Wer {service} betreibt, lädt Sie ein, ein Konto anzulegen. Geben Sie diesen Code auf \
                     {page} ein:"
                ),
                None => format!(
                    "Wer {service} betreibt, lädt Sie ein, ein Konto anzulegen. Geben Sie diesen Code auf \
                     der Seite für Einladungen ein:"
                ),
            },
            "Der Code gilt sieben Tage lang, und für ein Konto. Niemand, der hier arbeitet, fragt Sie danach. \
             Wenn Sie kein Konto wollen, tun Sie nichts.",
        ),
    };
    let paragraphs = vec![what, code.expose(), then.to_owned()];
    Letter { language, subject: format!("{service}: {subject}"), paragraphs }
}

/// What the reader of the mail can do with it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wants {
    Account,
    AnotherAccount,
    Password,
    Opening,
    Address,
    TakenAddress,
    Nothing,
}

fn english(service: &str, wants: Wants) -> (&'static str, String, &'static str) {
    let then = "The code is good for ten minutes and for the page where it was asked for. Nobody who works \
                here asks you for it. If it was not you, do nothing: without the code nothing happens.";
    match wants {
        Wants::Account => (
            "your code",
            format!(
                "Somebody wants to make an account with {service} for this address. This is the code:"
            ),
            then,
        ),
        Wants::AnotherAccount => (
            "your code",
            format!(
                "Somebody wants to make an account with {service} for this address, which has one \
                 already. With this code you can choose another password for it:"
            ),
            then,
        ),
        Wants::Password => (
            "your code for another password",
            format!(
                "Somebody wants to choose another password for your account with {service}. This is \
                 the code:"
            ),
            then,
        ),
        Wants::Opening => (
            "your code to open your account",
            format!("Somebody wants to open your account with {service} again. This is the code:"),
            then,
        ),
        Wants::Address => (
            "your code for another e-mail address",
            format!(
                "Somebody wants this to be the address of their account with {service}. This is the code:"
            ),
            then,
        ),
        Wants::TakenAddress => (
            "this address has an account",
            format!(
                "Somebody wanted this to be the address of their account with {service}. It is that of an \
                 account already, and stays so."
            ),
            "If it was you, sign in with that account, or choose another address. If not, do nothing.",
        ),
        Wants::Nothing => (
            "no account with this address",
            format!(
                "Somebody asked for a code for an account with {service} by this address. There is \
                 none that may be used."
            ),
            "If it was you, perhaps you used another address. If not, do nothing.",
        ),
    }
}

fn german(service: &str, wants: Wants) -> (&'static str, String, &'static str) {
    let then = "Der Code gilt zehn Minuten lang, und nur für die Seite, auf der er angefordert wurde. \
                Niemand, der hier arbeitet, fragt Sie danach. Wenn Sie das nicht waren, tun Sie nichts: \
                ohne den Code geschieht nichts.";
    match wants {
        Wants::Account => (
            "Ihr Code",
            format!(
                "Jemand möchte mit dieser Adresse ein Konto bei {service} anlegen. Das ist der Code:"
            ),
            then,
        ),
        Wants::AnotherAccount => (
            "Ihr Code",
            format!(
                "Jemand möchte mit dieser Adresse ein Konto bei {service} anlegen. Es gibt schon eines; \
                 mit diesem Code können Sie ein anderes Passwort dafür wählen:"
            ),
            then,
        ),
        Wants::Password => (
            "Ihr Code für ein anderes Passwort",
            format!(
                "Jemand möchte ein anderes Passwort für Ihr Konto bei {service} wählen. Das ist der \
                 Code:"
            ),
            then,
        ),
        Wants::Opening => (
            "Ihr Code, um Ihr Konto zu öffnen",
            format!("Jemand möchte Ihr Konto bei {service} wieder öffnen. Das ist der Code:"),
            then,
        ),
        Wants::Address => (
            "Ihr Code für eine andere E-Mail-Adresse",
            format!(
                "Jemand möchte diese Adresse für sein Konto bei {service} verwenden. Das ist der Code:"
            ),
            then,
        ),
        Wants::TakenAddress => (
            "diese Adresse hat ein Konto",
            format!(
                "Jemand wollte diese Adresse für sein Konto bei {service} verwenden. Sie gehört schon zu \
                 einem Konto, und dabei bleibt es."
            ),
            "Wenn Sie das waren, melden Sie sich mit diesem Konto an, oder nehmen Sie eine andere Adresse. \
             Wenn nicht, tun Sie nichts.",
        ),
        Wants::Nothing => (
            "kein Konto mit dieser Adresse",
            format!(
                "Jemand hat für ein Konto bei {service} mit dieser Adresse einen Code angefordert. Es \
                 gibt keines, das benutzt werden darf."
            ),
            "Wenn Sie das waren, haben Sie vielleicht eine andere Adresse verwendet. Wenn nicht, tun Sie \
             nichts.",
        ),
    }
}
