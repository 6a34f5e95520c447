//! What the pages say, in every language.

mod passwords;

use super::answer::{Answer, FOREIGN};
use crate::accounts::proved::Next;
use crate::accounts::refusal::Refusal;
use crate::flow::FlowPurpose;
use crate::mail::Language;

/// The words of a form and of what stands around it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Words {
    /// The page's title and heading.
    pub(super) title: &'static str,
    /// What it is about, below the heading.
    pub(super) about: &'static str,
    /// What its button does.
    pub(super) button: &'static str,
}

/// The words of fields.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fields {
    pub(super) email: &'static str,
    pub(super) code: &'static str,
    pub(super) full_name: &'static str,
    pub(super) password: &'static str,
    pub(super) resend: &'static str,
}

pub(super) fn fields(language: Language) -> Fields {
    match language {
        Language::En => Fields {
            email: "E-mail address",
            code: "Code",
            full_name: "Your name",
            password: "New password",
            resend: "Mail another code",
        },
        Language::De => Fields {
            email: "E-Mail-Adresse",
            code: "Code",
            full_name: "Ihr Name",
            password: "Neues Passwort",
            resend: "Einen anderen Code mailen",
        },
    }
}

/// The page that begins a flow.
pub(super) fn begin(language: Language, purpose: FlowPurpose) -> Words {
    match (language, purpose) {
        (Language::En, FlowPurpose::SignUp) => Words {
            title: "Create an account",
            about: "We mail you a code that shows that the address is yours.",
            button: "Mail me a code",
        },
        (Language::En, FlowPurpose::Reset) => Words {
            title: "Choose another password",
            about: "We mail a code to the address of your account.",
            button: "Mail me a code",
        },
        (Language::En, FlowPurpose::Unlock) => Words {
            title: "Open your account again",
            about: "Too many failed attempts close an account for a while. If you know your password, a code \
                    that we mail to the address of your account opens it at once.",
            button: "Mail me a code",
        },
        (language, FlowPurpose::Invitation) => invitation(language),
        (Language::En, FlowPurpose::EmailChange) => Words {
            title: "Change your e-mail address",
            about: "We mail a code to the new address.",
            button: "Mail me a code",
        },
        (Language::De, FlowPurpose::EmailChange) => Words {
            title: "E-Mail-Adresse ändern",
            about: "Wir mailen einen Code an die neue Adresse.",
            button: "Code anfordern",
        },
        (Language::De, FlowPurpose::SignUp) => Words {
            title: "Konto anlegen",
            about: "Wir mailen Ihnen einen Code, der zeigt, dass die Adresse Ihnen gehört.",
            button: "Code anfordern",
        },
        (Language::De, FlowPurpose::Reset) => Words {
            title: "Anderes Passwort wählen",
            about: "Wir mailen einen Code an die Adresse Ihres Kontos.",
            button: "Code anfordern",
        },
        (Language::De, FlowPurpose::Unlock) => Words {
            title: "Ihr Konto wieder öffnen",
            about: "Nach zu vielen Fehlversuchen ist ein Konto eine Weile gesperrt. Wenn Sie Ihr Passwort \
                    wissen, öffnet es ein Code, den wir an die Adresse Ihres Kontos mailen, sofort.",
            button: "Code anfordern",
        },
    }
}

/// The page that asks for the code of an invitation.
fn invitation(language: Language) -> Words {
    match language {
        Language::En => Words {
            title: "Accept an invitation",
            about: "Type the code that was mailed to you. It shows that the address is yours.",
            button: "Go on",
        },
        Language::De => Words {
            title: "Einladung annehmen",
            about: "Geben Sie den Code ein, den Sie per E-Mail bekommen haben. Er zeigt, dass die Adresse \
                    Ihnen gehört.",
            button: "Weiter",
        },
    }
}

/// The page that asks for the code.
pub(super) fn confirm(language: Language) -> Words {
    match language {
        Language::En => Words {
            title: "Type the code",
            about: "If mail can be sent to that address, it is on its way. The code in it is good for ten \
                    minutes, on this page only.",
            button: "Go on",
        },
        Language::De => Words {
            title: "Code eingeben",
            about: "Wenn an diese Adresse gemailt werden kann, ist die E-Mail unterwegs. Der Code darin gilt \
                    zehn Minuten lang, und nur auf dieser Seite.",
            button: "Weiter",
        },
    }
}

/// The page that ends a proved flow.
pub(super) fn finish(language: Language, next: Next) -> Words {
    match (language, next) {
        (Language::En, Next::Account) => Words {
            title: "Create your account",
            about: "The address is proved. This will be its account:",
            button: "Create the account",
        },
        (Language::En, Next::Password(_)) => Words {
            title: "Choose another password",
            about: "The address is proved. This is its account:",
            button: "Change the password",
        },
        (Language::En, Next::Opening(_)) => Words {
            title: "Open your account again",
            about: "The address is proved. This is its account:",
            button: "Open the account",
        },
        (Language::De, Next::Account) => Words {
            title: "Ihr Konto anlegen",
            about: "Die Adresse ist bestätigt. Das wird ihr Konto:",
            button: "Konto anlegen",
        },
        (Language::De, Next::Password(_)) => Words {
            title: "Anderes Passwort wählen",
            about: "Die Adresse ist bestätigt. Das ist ihr Konto:",
            button: "Passwort ändern",
        },
        (Language::De, Next::Opening(_)) => Words {
            title: "Ihr Konto wieder öffnen",
            about: "Die Adresse ist bestätigt. Das ist ihr Konto:",
            button: "Konto öffnen",
        },
    }
}

/// An account was made.
pub(super) fn account_made(language: Language) -> Words {
    match language {
        Language::En => Words {
            title: "Your account is ready",
            about: "Go back to the app and sign in with your e-mail address and your password.",
            button: "",
        },
        Language::De => Words {
            title: "Ihr Konto ist angelegt",
            about: "Gehen Sie zurück zur App und melden Sie sich mit Ihrer E-Mail-Adresse und Ihrem Passwort \
                    an.",
            button: "",
        },
    }
}

/// An account has another password.
pub(super) fn password_changed(language: Language) -> Words {
    match language {
        Language::En => Words {
            title: "Your password is changed",
            about: "Whoever was signed in with your account is signed out. Go back to the app and sign in \
                    with the new password.",
            button: "",
        },
        Language::De => Words {
            title: "Ihr Passwort ist geändert",
            about: "Wer mit Ihrem Konto angemeldet war, ist abgemeldet. Gehen Sie zurück zur App und melden \
                    Sie sich mit dem neuen Passwort an.",
            button: "",
        },
    }
}

/// An account is open again.
pub(super) fn account_opened(language: Language) -> Words {
    match language {
        Language::En => Words {
            title: "Your account is open",
            about: "Go back to the app and sign in with your password.",
            button: "",
        },
        Language::De => Words {
            title: "Ihr Konto ist offen",
            about: "Gehen Sie zurück zur App und melden Sie sich mit Ihrem Passwort an.",
            button: "",
        },
    }
}

/// The link to the app.
pub(super) fn to_the_app(language: Language) -> &'static str {
    match language {
        Language::En => "To the app",
        Language::De => "Zur App",
    }
}

/// What is asked of a password.
pub(super) fn rules(language: Language, least: usize) -> String {
    match language {
        Language::En => format!(
            "At least {least} characters, any you like: a sentence is easy to remember. Not your name or \
             your address."
        ),
        Language::De => format!(
            "Mindestens {least} Zeichen, beliebige: ein Satz lässt sich leicht merken. Nicht Ihr Name oder \
             Ihre Adresse."
        ),
    }
}

/// What people are told about a refusal.
pub(super) fn refusal(language: Language, refusal: &Refusal) -> String {
    let german = language == Language::De;
    let text = match refusal {
        Refusal::SignUpClosed if german => {
            "Hier kann sich niemand selbst ein Konto anlegen. Fragen Sie die, die diesen Dienst betreiben, \
             nach einem."
        }
        Refusal::SignUpClosed => {
            "People cannot sign up here. Ask whoever runs this service for an account."
        }
        Refusal::InvitedOnly if german => {
            "Hier legt sich ein Konto nur an, wer dazu eingeladen ist. Der Code der Einladung steht in Ihrer \
             E-Mail."
        }
        Refusal::InvitedOnly => {
            "Only who is invited can sign up here. The code of the invitation is in your mail."
        }
        Refusal::Invitation if german => {
            "Das ist nicht der Code einer Einladung, oder sie gilt nicht mehr. Fragen Sie die, von denen Sie \
             sie haben, nach einer neuen."
        }
        Refusal::Invitation => {
            "This is not the code of an invitation, or it is good no longer. Ask whoever sent it for \
             another one."
        }
        Refusal::Email(_) if german => "Das ist keine E-Mail-Adresse, die wir verwenden können.",
        Refusal::Email(_) => "This is not an e-mail address that we can use.",
        Refusal::Name(_) if german => {
            "Ein Name hat höchstens 254 Bytes, keine Steuerzeichen und keine Zeichen, die die Schreibrichtung \
             umkehren."
        }
        Refusal::Name(_) => {
            "A name has at most 254 bytes, no control characters, and no marks that turn the direction of \
             writing."
        }
        Refusal::Password(fault) => return passwords::unfit(german, *fault),
        Refusal::Code if german => {
            "Das ist nicht der Code, oder er gilt nicht mehr. Sie können einen anderen anfordern."
        }
        Refusal::Code => {
            "This is not the code, or it is good no longer. You can ask for another one."
        }
        Refusal::NoFlow if german => {
            "Hier wurde nichts begonnen, oder es ist vorbei. Beginnen Sie bitte von vorn."
        }
        Refusal::NoFlow => "Nothing was begun here, or it is over. Please begin again.",
        Refusal::Over if german => {
            "Das ist schon geschehen, oder es hat zu lange gedauert. Versuchen Sie, sich anzumelden; wenn das \
             nicht geht, beginnen Sie bitte von vorn."
        }
        Refusal::Over => {
            "This was done already, or it took too long. Try to sign in; if you cannot, please begin again."
        }
        Refusal::OtherFlow if german => {
            "In diesem Browser wurde danach etwas anderes begonnen. Gehen Sie dort weiter, oder beginnen Sie \
             von vorn."
        }
        Refusal::OtherFlow => {
            "Something else was begun in this browser after this page. Go on there, or begin again."
        }
        Refusal::OtherPurpose if german => "Das passt nicht zu dem, was begonnen wurde.",
        Refusal::OtherPurpose => "This does not fit what was begun.",
        Refusal::Taken if german => "Mit dieser Adresse gibt es inzwischen ein Konto.",
        Refusal::Taken => "There is an account with this address by now.",
        Refusal::Disabled if german => {
            "Das Konto mit dieser Adresse darf nicht benutzt werden. Fragen Sie die, die diesen Dienst \
             betreiben."
        }
        Refusal::Disabled => {
            "The account with this address may not be used. Ask whoever runs this service."
        }
        Refusal::Throttled(_) if german => {
            "Aus diesem Netz kommen gerade zu viele Anfragen. Versuchen Sie es in ein paar Minuten wieder."
        }
        Refusal::Throttled(_) => {
            "Too many requests come from this network. Try again in a few minutes."
        }
        Refusal::Busy(_) | Refusal::Unavailable(_) if german => {
            "Das geht im Moment nicht. Versuchen Sie es gleich noch einmal."
        }
        Refusal::Busy(_) | Refusal::Unavailable(_) => {
            "This cannot be done at the moment. Try again soon."
        }
    };
    text.to_owned()
}

/// The heading of a page that only tells that something was not done.
pub(super) fn not_done(language: Language) -> &'static str {
    match language {
        Language::En => "That did not work",
        Language::De => "Das hat nicht geklappt",
    }
}

/// The link to where the flow of this browser stands.
pub(super) fn go_on(language: Language) -> &'static str {
    match language {
        Language::En => "Go on there",
        Language::De => "Dort weitergehen",
    }
}

/// What people are told about a request that no page of ours makes.
pub(super) fn fault(language: Language, answer: Answer) -> &'static str {
    let is_foreign = answer.name == FOREIGN.name;
    match language {
        Language::En if is_foreign => "This request did not come from one of our pages.",
        Language::En => "This is not what our page sends.",
        Language::De if is_foreign => "Diese Anfrage kam nicht von einer unserer Seiten.",
        Language::De => "Das ist nicht, was unsere Seite schickt.",
    }
}
