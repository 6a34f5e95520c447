//! Why a new password is not taken, in every language.

use crate::password::UnfitPassword;

pub(super) fn unfit(german: bool, fault: UnfitPassword) -> String {
    match fault {
        UnfitPassword::TooShort(least) if german => {
            format!("Das Passwort ist zu kurz: Es braucht mindestens {least} Zeichen.")
        }
        UnfitPassword::TooShort(least) => {
            format!("The password is too short: it needs at least {least} characters.")
        }
        UnfitPassword::TooLong if german => "Das Passwort ist zu lang.".to_owned(),
        UnfitPassword::TooLong => "The password is too long.".to_owned(),
        UnfitPassword::OfItsOwner if german => {
            "Das Passwort ist kaum mehr als Ihr Name oder Ihre Adresse. Wählen Sie ein anderes."
                .to_owned()
        }
        UnfitPassword::OfItsOwner => {
            "The password is hardly more than your name or your address. Choose another one."
                .to_owned()
        }
        UnfitPassword::Common if german => {
            "Das Passwort ist leicht zu erraten: Es gehört zu denen, die man zuerst versucht. Wählen Sie ein \
             anderes."
                .to_owned()
        }
        UnfitPassword::Common => {
            "The password is easy to guess: it is one of those that anybody tries first. Choose another one."
                .to_owned()
        }
        UnfitPassword::Breached if german => {
            "Dieses Passwort steht in Listen gestohlener Passwörter. Wählen Sie ein anderes, und ändern Sie \
             es überall, wo Sie es verwenden."
                .to_owned()
        }
        UnfitPassword::Breached => {
            "This password is on lists of stolen ones. Choose another one, and change it wherever you use it."
                .to_owned()
        }
        UnfitPassword::Ticket if german => {
            "Mit diesen Zeichen darf kein Passwort beginnen. Wählen Sie ein anderes.".to_owned()
        }
        UnfitPassword::Ticket => {
            "No password may begin with these characters. Choose another one.".to_owned()
        }
    }
}
