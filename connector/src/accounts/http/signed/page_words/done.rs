//! What is told when something is done.

use crate::accounts::http::words::Words;
use crate::mail::Language;

/// Something that is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::accounts::http::signed) enum Done {
    Saved,
    Password,
    Email,
    SignedOut,
    SignedOutEverywhere,
    Closed,
    Restored,
}

/// Something is done.
pub(in crate::accounts::http::signed) fn done(language: Language, done: Done) -> Words {
    let (title, about) = match language {
        Language::En => english(done),
        Language::De => german(done),
    };
    Words { title, about, button: "" }
}

fn english(done: Done) -> (&'static str, &'static str) {
    match done {
        Done::Saved => ("Your profile is saved.", ""),
        Done::Password => (
            "Your password is changed",
            "Whoever was signed in with your account is signed out. Sign in with the new password.",
        ),
        Done::Email => (
            "Your address is changed",
            "Whoever was signed in with your account is signed out. For a week, a code that we mailed to the \
             address before can bring that back.",
        ),
        Done::SignedOut => ("You are signed out", "This browser does not know you any more."),
        Done::SignedOutEverywhere => (
            "You are signed out everywhere",
            "Whoever was signed in with your account is signed out. In apps that can take a few minutes.",
        ),
        Done::Closed => (
            "Your account is closed",
            "It is deleted, and whoever was signed in with it is signed out.",
        ),
        Done::Restored => (
            "Your address is back",
            "Everybody is signed out, and the password opens nothing any more. Choose another one now.",
        ),
    }
}

fn german(done: Done) -> (&'static str, &'static str) {
    match done {
        Done::Saved => ("Ihr Profil ist gespeichert.", ""),
        Done::Password => (
            "Ihr Passwort ist geändert",
            "Wer mit Ihrem Konto angemeldet war, ist abgemeldet. Melden Sie sich mit dem neuen Passwort an.",
        ),
        Done::Email => (
            "Ihre Adresse ist geändert",
            "Wer mit Ihrem Konto angemeldet war, ist abgemeldet. Eine Woche lang kann ein Code, den wir an die \
             frühere Adresse gemailt haben, diese zurückholen.",
        ),
        Done::SignedOut => ("Sie sind abgemeldet", "Dieser Browser kennt Sie nicht mehr."),
        Done::SignedOutEverywhere => (
            "Sie sind überall abgemeldet",
            "Wer mit Ihrem Konto angemeldet war, ist abgemeldet. In Apps kann das ein paar Minuten dauern.",
        ),
        Done::Closed => (
            "Ihr Konto ist geschlossen",
            "Es ist gelöscht, und wer damit angemeldet war, ist abgemeldet.",
        ),
        Done::Restored => (
            "Ihre Adresse ist zurück",
            "Alle sind abgemeldet, und das Passwort öffnet nichts mehr. Wählen Sie jetzt ein anderes.",
        ),
    }
}
