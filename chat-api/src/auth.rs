//! From a token to a person.

use chrono::{DateTime, Utc};
use dex_tokens::{Claims, Passed, TokenError, Verifier};

use crate::message::{Author, UserId, UserName};
use crate::people::{Book, EmailKey, Person};

/// A person whose token was verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// The id and the name of that person.
    pub author: Author,
    /// When the token expires.
    pub expires_at: DateTime<Utc>,
}

/// Why somebody is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum AuthError {
    /// No token was given, or not as a bearer token.
    #[error("a bearer token is needed")]
    Missing,
    /// The token does not pass.
    #[error(transparent)]
    Token(#[from] TokenError),
    /// The subject cannot be a user id here.
    #[error("the token's subject is not usable")]
    Subject,
}

/// Verifies a token and says whose it is. What a token says for the first time is noted.
pub async fn authenticate(
    verifier: &Verifier,
    people: &Book,
    token: &str,
) -> Result<Caller, AuthError> {
    let Passed { claims, is_new } = verifier.pass(token).await?;
    let author = author(&claims)?;
    if is_new {
        people.note(person(&author, &claims));
    }
    Ok(Caller { author, expires_at: claims.expires_at })
}

fn author(claims: &Claims) -> Result<Author, AuthError> {
    let user_id = UserId::parse(claims.subject.as_str()).map_err(|_| AuthError::Subject)?;
    let name = claims.name.as_deref().filter(|name| !name.trim().is_empty());
    let name = name.or(claims.preferred_username.as_deref());
    let user_name = UserName::shown(name, &user_id);
    Ok(Author { user_id, user_name })
}

fn person(author: &Author, claims: &Claims) -> Person {
    let Author { user_id, user_name } = author.clone();
    let email = claims.email.as_deref().filter(|_| claims.email_verified);
    let email = email.and_then(EmailKey::parse);
    Person { id: user_id, name: user_name, email, issued_at: claims.issued_at }
}

/// The token of an `Authorization` header.
#[must_use]
pub fn bearer(header: &str) -> Option<&str> {
    let (scheme, token) = header.split_once(' ')?;
    // RFC 9110 §11.1: the scheme's name is case-insensitive.
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim()).filter(|token| !token.is_empty())
}
