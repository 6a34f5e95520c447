//! What who is signed in is told, in every language.

use crate::accounts::http::words;
use crate::accounts::signed::SignedRefusal;
use crate::mail::Language;

/// Why something is not done.
pub(super) fn refusal(language: Language, refusal: &SignedRefusal) -> String {
    let german = language == Language::De;
    let text = match refusal {
        SignedRefusal::Other(refusal) => return words::refusal(language, refusal),
        SignedRefusal::SignedOut if german => {
            "Sie sind nicht angemeldet, oder nicht mehr. Melden Sie sich neu an."
        }
        SignedRefusal::SignedOut => "You are not signed in, or not any more. Sign in again.",
        SignedRefusal::WrongPassword if german => {
            "Das ist nicht Ihr Passwort, oder Ihr Konto ist für dieses Netz gerade gesperrt."
        }
        SignedRefusal::WrongPassword => {
            "This is not your password, or your account is closed to this network for now."
        }
        SignedRefusal::Phone(_) if german => {
            "Eine Telefonnummer beginnt mit + und dem Land und hat 7 bis 15 Ziffern ohne Leerzeichen, zum \
             Beispiel +493012345678."
        }
        SignedRefusal::Phone(_) => {
            "A telephone number begins with + and the country, and has 7 to 15 digits without blanks, for \
             example +493012345678."
        }
        SignedRefusal::OwnAddress if german => "Das ist schon die Adresse Ihres Kontos.",
        SignedRefusal::OwnAddress => "This is the address of your account already.",
        SignedRefusal::Undo if german => {
            "Das ist nicht der Code, oder er gilt nicht mehr: Er gilt sieben Tage lang, und einmal."
        }
        SignedRefusal::Undo => {
            "This is not the code, or it is good no longer: it is good for seven days, and once."
        }
        SignedRefusal::NoSuchNetwork if german => {
            "Aus diesem Netz ist Ihr Konto nicht bekannt, oder nicht mehr."
        }
        SignedRefusal::NoSuchNetwork => {
            "Your account is not known from this network, or not any more."
        }
        SignedRefusal::NotASearcher if german => {
            "Nach den Konten anderer dürfen nur bestimmte Gruppen suchen."
        }
        SignedRefusal::NotASearcher => "Only certain groups may look for the accounts of others.",
        SignedRefusal::ShortTerm if german => {
            "Wonach gesucht wird, hat mindestens drei Buchstaben oder Ziffern hintereinander und höchstens \
             254 Bytes."
        }
        SignedRefusal::ShortTerm => {
            "What is looked for has at least three letters or digits in a row, and at most 254 bytes."
        }
        SignedRefusal::NoSuchAccount if german => "Ein solches Konto gibt es nicht.",
        SignedRefusal::NoSuchAccount => "There is no such account.",
        SignedRefusal::Unverified(_) if german => {
            "Gerade ist zu viel zu tun. Versuchen Sie es in ein paar Sekunden noch einmal."
        }
        SignedRefusal::Unverified(_) => {
            "Too much is to be done at the moment. Try again in a few seconds."
        }
    };
    text.to_owned()
}
