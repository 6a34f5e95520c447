//! The words of each mail in each language.

use chrono::{DateTime, Utc};

use super::language::Language;
use super::letter::Letter;
use crate::due::MailKind;

/// What a mail tells of.
#[derive(Debug, Clone, Copy)]
pub struct Occasion<'a> {
    /// What happened.
    pub kind: MailKind,
    /// When.
    pub at: DateTime<Utc>,
    /// What the service is called.
    pub service: &'a str,
}

/// The mail about an occasion.
#[must_use]
pub fn letter(language: Language, occasion: Occasion<'_>) -> Letter {
    let (subject, paragraphs) = match language {
        Language::En => english(occasion),
        Language::De => german(occasion),
    };
    Letter { language, subject, paragraphs }
}

fn english(Occasion { kind, at, service }: Occasion<'_>) -> (String, Vec<String>) {
    let at = time(at);
    let not_you = "If that was not you, somebody else has access to your account: tell whoever runs \
                   this service at once.";
    let (subject, what, then) = match kind {
        MailKind::AccountLocked => (
            format!("{service}: too many failed attempts to sign in"),
            format!(
                "At {at} so many attempts to sign in to your account with {service} had failed that \
                 it is now closed for a while to networks from which you never signed in."
            ),
            "From where you signed in before you still can. None of these attempts got in, and you need \
             not do anything. If it was you who mistyped, try again later, or tomorrow.",
        ),
        MailKind::MustChange => (
            format!("{service}: your password has to be changed"),
            format!(
                "At {at} somebody signed in to your account with {service} with the right password. \
                 It opens nothing until it is changed."
            ),
            "Choose another one as if you had forgotten it, or ask whoever gave you the account for one.",
        ),
        MailKind::PasswordChanged => (
            format!("{service}: your password was changed"),
            format!(
                "At {at} the password of your account with {service} was changed. Whoever was signed \
                 in is signed out."
            ),
            not_you,
        ),
        MailKind::EmailChanged => (
            format!("{service}: your e-mail address was changed"),
            format!(
                "At {at} your account with {service} got another e-mail address than this one. Mail \
                 about the account goes there from now on."
            ),
            not_you,
        ),
        MailKind::NewNetwork => (
            format!("{service}: sign-in from a new network"),
            format!(
                "At {at} somebody signed in to your account with {service} from a network from which \
                 you had not signed in lately."
            ),
            not_you,
        ),
    };
    (subject, vec![what, then.to_owned(), "You need not answer this mail.".to_owned()])
}

fn german(Occasion { kind, at, service }: Occasion<'_>) -> (String, Vec<String>) {
    let at = time(at);
    let not_you = "Wenn Sie das nicht waren, hat jemand anders Zugang zu Ihrem Konto: Sagen Sie sofort \
                   denen Bescheid, die diesen Dienst betreiben.";
    let (subject, what, then) = match kind {
        MailKind::AccountLocked => (
            format!("{service}: zu viele Fehlversuche beim Anmelden"),
            format!(
                "Bis {at} waren so viele Versuche fehlgeschlagen, sich mit Ihrem Konto bei {service} \
                 anzumelden, dass es jetzt eine Weile für Netze gesperrt ist, aus denen Sie sich nie \
                 angemeldet haben."
            ),
            "Von wo Sie sich schon angemeldet haben, können Sie es weiterhin. Keiner dieser Versuche \
             hat Erfolg gehabt, und Sie müssen nichts tun. Wenn Sie sich selbst vertippt haben, \
             versuchen Sie es später noch einmal, oder morgen.",
        ),
        MailKind::MustChange => (
            format!("{service}: Ihr Passwort muss geändert werden"),
            format!(
                "Um {at} hat sich jemand mit dem richtigen Passwort mit Ihrem Konto bei {service} \
                 angemeldet. Es öffnet nichts, bis es geändert ist."
            ),
            "Wählen Sie ein anderes, als hätten Sie es vergessen, oder bitten Sie die darum, von denen Sie \
             das Konto haben.",
        ),
        MailKind::PasswordChanged => (
            format!("{service}: Ihr Passwort wurde geändert"),
            format!(
                "Um {at} wurde das Passwort Ihres Kontos bei {service} geändert. Wer angemeldet war, \
                 ist abgemeldet."
            ),
            not_you,
        ),
        MailKind::EmailChanged => (
            format!("{service}: Ihre E-Mail-Adresse wurde geändert"),
            format!(
                "Um {at} bekam Ihr Konto bei {service} eine andere E-Mail-Adresse als diese. Was das \
                 Konto betrifft, geht von jetzt an dorthin."
            ),
            not_you,
        ),
        MailKind::NewNetwork => (
            format!("{service}: Anmeldung aus einem neuen Netz"),
            format!(
                "Um {at} hat sich jemand mit Ihrem Konto bei {service} aus einem Netz angemeldet, aus \
                 dem Sie sich in letzter Zeit nicht angemeldet hatten."
            ),
            not_you,
        ),
    };
    let end = "Auf diese E-Mail müssen Sie nicht antworten.".to_owned();
    (subject, vec![what, then.to_owned(), end])
}

/// A moment, to the minute: where its reader is, nobody knows.
fn time(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}
