//! What a refusal of who is signed in is in HTTP.

use axum::http::StatusCode;

use crate::accounts::http::answer::{A_MOMENT, Answer};
use crate::accounts::signed::SignedRefusal;

/// Nobody is signed in.
pub(super) const SIGNED_OUT: Answer =
    Answer::new(StatusCode::UNAUTHORIZED, "signed-out", "Nobody is signed in");

/// What a refusal is answered as.
pub(super) fn answer(refusal: &SignedRefusal) -> Answer {
    let new = Answer::new;
    match refusal {
        SignedRefusal::SignedOut => SIGNED_OUT,
        SignedRefusal::WrongPassword => {
            new(StatusCode::FORBIDDEN, "wrong-password", "Not the password")
        }
        SignedRefusal::Phone(_) => {
            new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-phone", "Not a telephone number")
        }
        SignedRefusal::OwnAddress => {
            new(StatusCode::CONFLICT, "own-address", "The account has the address")
        }
        SignedRefusal::Undo => new(StatusCode::UNPROCESSABLE_ENTITY, "wrong-code", "Not the code"),
        SignedRefusal::NoSuchNetwork => {
            new(StatusCode::NOT_FOUND, "no-such-network", "No such network")
        }
        SignedRefusal::NotASearcher => new(
            StatusCode::FORBIDDEN,
            "not-a-searcher",
            "Only certain groups may look for accounts",
        ),
        SignedRefusal::ShortTerm => {
            new(StatusCode::UNPROCESSABLE_ENTITY, "short-term", "Too little to look for")
        }
        SignedRefusal::NoSuchAccount => {
            new(StatusCode::NOT_FOUND, "no-such-account", "No such account")
        }
        SignedRefusal::Unverified(_) => {
            new(StatusCode::SERVICE_UNAVAILABLE, "busy", "Too much is to be done").later(A_MOMENT)
        }
        SignedRefusal::Other(refusal) => refusal.into(),
    }
}
