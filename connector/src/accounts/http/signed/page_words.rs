//! What the pages of who is signed in say, in every language.

mod done;

use axum::http::StatusCode;
use chrono::{DateTime, Utc};
use dex_session::SignInError;

use super::page::Page;
use crate::accounts::http::answer::{A_MOMENT, Answer};
use crate::accounts::http::words::{self, Words};
use crate::mail::Language;

pub(super) use done::{Done, done};

/// Around the forms.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// What the links lead to.
    pub(super) about: &'static str,
    pub(super) sign_out: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Profile {
    pub(super) username: &'static str,
    pub(super) full_name: &'static str,
    pub(super) phone: &'static str,
    pub(super) phone_hint: &'static str,
    pub(super) button: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Password {
    pub(super) about: &'static str,
    pub(super) current: &'static str,
    pub(super) another: &'static str,
    pub(super) button: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Email {
    pub(super) now: &'static str,
    pub(super) about: &'static str,
    pub(super) another: &'static str,
    pub(super) password: &'static str,
    pub(super) button: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct EmailCode {
    pub(super) about: &'static str,
    pub(super) code: &'static str,
    pub(super) button: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Close {
    pub(super) about: &'static str,
    pub(super) password: &'static str,
    pub(super) button: &'static str,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Activity {
    pub(super) networks: &'static str,
    pub(super) networks_about: &'static str,
    pub(super) no_networks: &'static str,
    pub(super) forget: &'static str,
    pub(super) everywhere: &'static str,
    pub(super) everywhere_about: &'static str,
    pub(super) happened: &'static str,
    pub(super) nothing: &'static str,
    pub(super) from: &'static str,
    pub(super) earlier: &'static str,
}

pub(super) fn frame(language: Language) -> Frame {
    match language {
        Language::En => Frame { about: "Your account", sign_out: "Sign out" },
        Language::De => Frame { about: "Ihr Konto", sign_out: "Abmelden" },
    }
}

/// What a page is called, as its heading and where others lead to it.
pub(super) fn title(language: Language, page: Page) -> &'static str {
    match (language, page) {
        (Language::En, Page::Profile) => "Profile",
        (Language::En, Page::Password) => "Password",
        (Language::En, Page::Email) => "E-mail address",
        (Language::En, Page::Activity) => "Activity",
        (Language::En, Page::Close) => "Close the account",
        (Language::De, Page::Profile) => "Profil",
        (Language::De, Page::Password) => "Passwort",
        (Language::De, Page::Email) => "E-Mail-Adresse",
        (Language::De, Page::Activity) => "Aktivität",
        (Language::De, Page::Close) => "Konto schließen",
    }
}

pub(super) fn profile(language: Language) -> Profile {
    match language {
        Language::En => Profile {
            username: "User name",
            full_name: "Your name",
            phone: "Telephone number (optional)",
            phone_hint: "With + and the country, such as +493012345678. Nobody checks it.",
            button: "Save",
        },
        Language::De => Profile {
            username: "Benutzername",
            full_name: "Ihr Name",
            phone: "Telefonnummer (freiwillig)",
            phone_hint: "Mit + und dem Land, zum Beispiel +493012345678. Niemand prüft sie.",
            button: "Speichern",
        },
    }
}

pub(super) fn password(language: Language) -> Password {
    match language {
        Language::En => Password {
            about: "Whoever is signed in with your account is signed out then, here too.",
            current: "Current password",
            another: "New password",
            button: "Change the password",
        },
        Language::De => Password {
            about: "Wer mit Ihrem Konto angemeldet ist, wird dann abgemeldet, auch hier.",
            current: "Bisheriges Passwort",
            another: "Neues Passwort",
            button: "Passwort ändern",
        },
    }
}

pub(super) fn email(language: Language) -> Email {
    match language {
        Language::En => Email {
            now: "Your address is",
            about: "We mail a code to the new address. Once you have typed it, whoever is signed in with your \
                    account is signed out, here too.",
            another: "New e-mail address",
            password: "Your password",
            button: "Mail me a code",
        },
        Language::De => Email {
            now: "Ihre Adresse ist",
            about: "Wir mailen einen Code an die neue Adresse. Wenn Sie ihn eingegeben haben, wird abgemeldet, \
                    wer mit Ihrem Konto angemeldet ist, auch hier.",
            another: "Neue E-Mail-Adresse",
            password: "Ihr Passwort",
            button: "Code anfordern",
        },
    }
}

pub(super) fn email_code(language: Language) -> EmailCode {
    let code = words::fields(language).code;
    match language {
        Language::En => EmailCode {
            about: "If mail can be sent to that address, it is on its way. The code in it is good for ten \
                    minutes, on this page only.",
            code,
            button: "Change the address",
        },
        Language::De => EmailCode {
            about: "Wenn an diese Adresse gemailt werden kann, ist die E-Mail unterwegs. Der Code darin gilt \
                    zehn Minuten lang, und nur auf dieser Seite.",
            code,
            button: "Adresse ändern",
        },
    }
}

pub(super) fn close(language: Language) -> Close {
    match language {
        Language::En => Close {
            about: "Your account is deleted with all that it says of you, and nobody can sign in with it any \
                    more. This cannot be undone.",
            password: "Your password",
            button: "Close the account",
        },
        Language::De => Close {
            about: "Ihr Konto wird gelöscht, mit allem, was darin über Sie steht, und niemand kann sich mehr \
                    damit anmelden. Das lässt sich nicht zurücknehmen.",
            password: "Ihr Passwort",
            button: "Konto schließen",
        },
    }
}

pub(super) fn activity(language: Language) -> Activity {
    match language {
        Language::En => Activity {
            networks: "Known networks",
            networks_about: "You signed in from these networks in the last 90 days. Nobody can lock you out \
                             there by wrong passwords from elsewhere. Forget those that are not yours.",
            no_networks: "There is none.",
            forget: "Forget",
            everywhere: "Sign out everywhere",
            everywhere_about: "Whoever is signed in with your account, in whichever app, is signed out, here \
                               too. If you do not know who that is, change your password.",
            happened: "What happened",
            nothing: "Nothing yet.",
            from: "from",
            earlier: "Earlier",
        },
        Language::De => Activity {
            networks: "Bekannte Netze",
            networks_about: "Aus diesen Netzen haben Sie sich in den letzten 90 Tagen angemeldet. Dort kann \
                             Sie niemand durch falsche Passwörter von anderswo aussperren. Vergessen Sie die, \
                             die nicht Ihre sind.",
            no_networks: "Es gibt keine.",
            forget: "Vergessen",
            everywhere: "Überall abmelden",
            everywhere_about: "Wer mit Ihrem Konto angemeldet ist, in welcher App auch immer, wird abgemeldet, \
                               auch hier. Wenn Sie nicht wissen, wer das ist, ändern Sie Ihr Passwort.",
            happened: "Was geschehen ist",
            nothing: "Noch nichts.",
            from: "von",
            earlier: "Früher",
        },
    }
}

/// What an event of the trail is to the owner of the account.
pub(super) fn event(language: Language, event: &str) -> &'static str {
    let (english, german) = match event {
        "login.ok" => ("The right password was given", "Das richtige Passwort wurde angegeben"),
        "login.fail" => ("Somebody was refused", "Jemand wurde abgewiesen"),
        "login.folded" => ("More attempts were refused", "Weitere Versuche wurden abgewiesen"),
        "account.locked" => ("Closed to strangers for a while", "Für Fremde eine Weile gesperrt"),
        "account.unlocked" => ("Opened again", "Wieder geöffnet"),
        "account.password_set" => ("The password was set", "Das Passwort wurde gesetzt"),
        "account.password_reset" => {
            ("The password was replaced by a code", "Das Passwort wurde durch einen Code ersetzt")
        }
        "account.password_changed" => ("The password was changed", "Das Passwort wurde geändert"),
        "account.email_verified" => ("The address was proved", "Die Adresse wurde bestätigt"),
        "account.email_changed" => ("The address was changed", "Die Adresse wurde geändert"),
        "account.email_restored" => {
            ("The address before was brought back", "Die frühere Adresse wurde zurückgeholt")
        }
        "account.network_forgotten" => ("A network was forgotten", "Ein Netz wurde vergessen"),
        "account.signed_out" => ("Signed out everywhere", "Überall abgemeldet"),
        _ => ("Something else", "Etwas anderes"),
    };
    match language {
        Language::En => english,
        Language::De => german,
    }
}

/// A time as people read it.
pub(super) fn time(language: Language, at: DateTime<Utc>) -> String {
    let format = match language {
        Language::En => "%Y-%m-%d %H:%M UTC",
        Language::De => "%d.%m.%Y, %H:%M UTC",
    };
    at.format(format).to_string()
}

/// The page that brings an address back.
pub(super) fn undo(language: Language) -> Words {
    match language {
        Language::En => Words {
            title: "Bring your address back",
            about: "Type the code that was mailed to the address that your account had before. Everybody is \
                    signed out, and you choose another password then.",
            button: "Bring it back",
        },
        Language::De => Words {
            title: "Ihre Adresse zurückholen",
            about: "Geben Sie den Code ein, den die frühere Adresse Ihres Kontos per E-Mail bekommen hat. Dann \
                    werden alle abgemeldet, und Sie wählen ein anderes Passwort.",
            button: "Zurückholen",
        },
    }
}

/// The link to where people sign in.
pub(super) fn sign_in(language: Language) -> &'static str {
    match language {
        Language::En => "Sign in",
        Language::De => "Anmelden",
    }
}

/// Dex let somebody in whose account is none of ours, or who may not use it.
pub(super) fn not_ours(language: Language) -> &'static str {
    match language {
        Language::En => {
            "You are signed in with an account that these pages know nothing about. Sign in with a local \
             account."
        }
        Language::De => {
            "Sie sind mit einem Konto angemeldet, über das diese Seiten nichts wissen. Melden Sie sich mit \
             einem lokalen Konto an."
        }
    }
}

/// Why nobody is signed in. Which check failed is nobody's matter who made something up.
pub(super) fn not_signed_in(language: Language, error: &SignInError) -> &'static str {
    let german = language == Language::De;
    match error {
        SignInError::Denied if german => "Die Anmeldung wurde abgebrochen.",
        SignInError::Denied => "The sign-in was cancelled.",
        SignInError::Unavailable(_) if german => {
            "Die Anmeldung geht im Moment nicht. Versuchen Sie es gleich noch einmal."
        }
        SignInError::Unavailable(_) => "Nobody can sign in at the moment. Try again soon.",
        _ if german => {
            "Diese Anmeldung ist vorbei, oder sie wurde anderswo begonnen. Beginnen Sie bitte von vorn."
        }
        _ => "This sign-in is over, or it was begun elsewhere. Please begin again.",
    }
}

/// What a sign-in that came to nothing is in HTTP.
pub(super) fn answer(error: &SignInError) -> Answer {
    match error {
        SignInError::Unavailable(_) => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            Answer::new(status, "no-sign-in", "Dex does not answer").later(A_MOMENT)
        }
        _ => Answer::new(StatusCode::BAD_REQUEST, "no-sign-in", "Nobody is signed in"),
    }
}

/// What people are told about a request that no page of ours makes, or no longer.
pub(super) fn fault(language: Language, answer: Answer) -> String {
    match (answer.name, language) {
        ("other-session", Language::En) => {
            "Somebody signed in again in this browser after this page. Open the page again.".to_owned()
        }
        ("other-session", Language::De) => {
            "In diesem Browser hat sich nach dieser Seite jemand neu angemeldet. Öffnen Sie die Seite neu."
                .to_owned()
        }
        _ => words::fault(language, answer).to_owned(),
    }
}
