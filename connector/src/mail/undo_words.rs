//! The words of the mail to an address that an account had: it tells of the change, and has the code that undoes it.

use chrono::{DateTime, Utc};

use super::language::Language;
use super::letter::Letter;
use crate::flow::UndoCode;

/// The mail. `pages` is where the accounts pages are, if that is known.
#[must_use]
pub fn undo_letter(
    language: Language,
    service: &str,
    (pages, at): (Option<&str>, DateTime<Utc>),
    code: &UndoCode,
) -> Letter {
    let at = at.format("%Y-%m-%d %H:%M UTC");
    let page = pages.map(|pages| format!("{pages}/undo"));
    let (subject, what, how, then) = match language {
        Language::En => (
            "your e-mail address was changed",
            format!(
                "At {at} your account with {service} got another e-mail address than this one. Mail about \
                 the account goes there from now on. If that was you, do nothing."
            ),
            match page {
                Some(page) => format!(
                    "If that was not you, somebody else has access to your account. Type this code at \
                     {page} to have this address back:"
                ),
                None => "If that was not you, somebody else has access to your account. Type this code on \
                         the page for that to have this address back:"
                    .to_owned(),
            },
            "The code is good for seven days. With it everybody is signed out, and the password opens \
             nothing until you choose another one. Nobody who works here asks you for it.",
        ),
        Language::De => (
            "Ihre E-Mail-Adresse wurde geändert",
            format!(
                "Um {at} bekam Ihr Konto bei {service} eine andere E-Mail-Adresse als diese. Was das Konto \
                 betrifft, geht von jetzt an dorthin. Wenn Sie das waren, tun Sie nichts."
            ),
            match page {
                Some(page) => format!(
                    "Wenn Sie das nicht waren, hat jemand anders Zugang zu Ihrem Konto. Geben Sie diesen \
                     Code auf {page} ein, um diese Adresse zurückzuholen:"
                ),
                None => "Wenn Sie das nicht waren, hat jemand anders Zugang zu Ihrem Konto. Geben Sie \
                         diesen Code auf der Seite dafür ein, um diese Adresse zurückzuholen:"
                    .to_owned(),
            },
            "Der Code gilt sieben Tage lang. Mit ihm werden alle abgemeldet, und das Passwort öffnet nichts, \
             bis Sie ein anderes wählen. Niemand, der hier arbeitet, fragt Sie danach.",
        ),
    };
    let paragraphs = vec![what, how, code.expose(), then.to_owned()];
    Letter { language, subject: format!("{service}: {subject}"), paragraphs }
}
