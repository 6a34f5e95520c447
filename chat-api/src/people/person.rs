//! What one token says of a person.

use chrono::{DateTime, Utc};

use super::key::EmailKey;
use crate::message::{UserId, UserName};

/// What one verified token says of a person.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The subject of the token.
    pub id: UserId,
    /// The name to show.
    pub name: UserName,
    /// The e-mail address, if the issuer has verified it.
    pub email: Option<EmailKey>,
    /// When the token was issued, by the issuer's clock: of two tokens the later one is right.
    pub issued_at: DateTime<Utc>,
}
