//! What a token says, and the checks of it.

use std::{fmt, sync::Arc};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

use crate::error::Reason;

/// How far the issuer's clock and ours may differ: applied to `exp`, `nbf` and `iat`.
pub const LEEWAY: TimeDelta = TimeDelta::seconds(30);

/// OIDC Core §2: "must not exceed 255 ASCII characters in length".
const MAX_SUBJECT_BYTES: usize = 255;

/// Whom a token is about: the claim `sub`, unique at the issuer and never reassigned. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub struct Subject(Arc<str>);

impl Subject {
    /// 1 to 255 printable ASCII characters without spaces, else [`Reason::Subject`].
    pub fn parse(text: &str) -> Result<Self, Reason> {
        let acceptable = (1..=MAX_SUBJECT_BYTES).contains(&text.len())
            && text.bytes().all(|byte| byte.is_ascii_graphic());
        if acceptable { Ok(Self(text.into())) } else { Err(Reason::Subject) }
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for Subject {
    type Error = Reason;

    fn try_from(text: String) -> Result<Self, Reason> {
        Self::parse(&text)
    }
}

/// The claims of a verified token. Only a [`crate::Verifier`] makes them.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Claims {
    /// `sub`: the stable id of the person at the issuer.
    pub subject: Subject,
    /// `aud`: the configured audience is one of them.
    pub audiences: Vec<String>,
    /// `azp`: the client that asked for the token.
    pub authorized_party: Option<String>,
    /// `exp`. The token was accepted until [`LEEWAY`] after it.
    pub expires_at: DateTime<Utc>,
    /// `iat`: when the token was issued, by the issuer's clock.
    pub issued_at: DateTime<Utc>,
    /// `name`: the full name, as the person wrote it.
    pub name: Option<String>,
    /// `preferred_username`: the login name.
    pub preferred_username: Option<String>,
    /// `email`: the address, as the issuer knows it.
    pub email: Option<String>,
    /// `email_verified`; false when the issuer does not say.
    pub email_verified: bool,
    /// `groups`: in the order of the token; empty when it has none.
    pub groups: Vec<String>,
}

/// Names and addresses of people stay out of logs: only the subject is shown.
impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Claims")
            .field("subject", &self.subject)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}

/// The payload as it is in the token. Dex writes times as whole seconds.
#[derive(Deserialize)]
pub(crate) struct Payload {
    iss: Option<String>,
    sub: Option<String>,
    aud: Option<Audience>,
    exp: Option<i64>,
    nbf: Option<i64>,
    iat: Option<i64>,
    azp: Option<String>,
    name: Option<String>,
    preferred_username: Option<String>,
    email: Option<String>,
    email_verified: Option<bool>,
    groups: Option<Vec<String>>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Many(Vec<String>),
}

impl Payload {
    /// Every check of RFC 7519 §4.1 and OIDC Core §3.1.3.7 that concerns us, in one place.
    pub(crate) fn check(
        self,
        issuer: &str,
        audience: &str,
        now: DateTime<Utc>,
    ) -> Result<Claims, Reason> {
        if self.iss.ok_or(Reason::Missing("iss"))? != issuer {
            return Err(Reason::Issuer);
        }
        let audiences = match self.aud.ok_or(Reason::Missing("aud"))? {
            Audience::One(one) => vec![one],
            Audience::Many(many) => many,
        };
        if !audiences.iter().any(|one| one == audience) {
            return Err(Reason::Audience);
        }
        let expires_at = time(self.exp.ok_or(Reason::Missing("exp"))?)?;
        if now >= expires_at + LEEWAY {
            return Err(Reason::Expired);
        }
        if let Some(not_before) = self.nbf
            && now + LEEWAY < time(not_before)?
        {
            return Err(Reason::NotYetValid);
        }
        let issued_at = time(self.iat.ok_or(Reason::Missing("iat"))?)?;
        if now + LEEWAY < issued_at {
            return Err(Reason::IssuedInFuture);
        }
        Ok(Claims {
            subject: Subject::parse(&self.sub.ok_or(Reason::Missing("sub"))?)?,
            audiences,
            authorized_party: self.azp,
            expires_at,
            issued_at,
            name: self.name,
            preferred_username: self.preferred_username,
            email: self.email,
            email_verified: self.email_verified.unwrap_or(false),
            groups: self.groups.unwrap_or_default(),
        })
    }
}

/// Seconds since 1970, not before it and not after the year 9999 (so that adding the leeway cannot overflow).
fn time(seconds: i64) -> Result<DateTime<Utc>, Reason> {
    const END_OF_9999: i64 = 253_402_300_799;
    (0..=END_OF_9999)
        .contains(&seconds)
        .then(|| DateTime::from_timestamp(seconds, 0))
        .flatten()
        .ok_or(Reason::Malformed)
}
