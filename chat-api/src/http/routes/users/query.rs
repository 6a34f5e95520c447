//! The parameters of a search for people.

use crate::http::parameters::{once_each, parse_limit};
use crate::http::problem::Problem;
use crate::message::UserId;
use crate::people::{EmailKey, NamePrefix};

/// How many people are found unless asked otherwise, and at most: who has more to choose from types on.
const LIMIT_DEFAULT: u16 = 20;
const LIMIT_MAX: u16 = 50;
/// How many people may be asked for by their ids: those of a page of messages, mostly.
const IDS_MAX: usize = 100;

/// Who is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct UsersQuery {
    pub(super) wanted: Wanted,
}

/// Who is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Wanted {
    /// Whoever is called like that.
    Named { prefix: NamePrefix, limit: u16 },
    /// Whoever has that address.
    Addressed { email: EmailKey, limit: u16 },
    /// These, each once.
    Known(Vec<UserId>),
}

impl UsersQuery {
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let (mut text, mut ids, mut limit) = (None, None, None);
        once_each(query, |name, value| {
            match name {
                "q" => text = Some(value.to_owned()),
                "ids" => ids = Some(parse_ids(value)?),
                "limit" => limit = Some(parse_limit(value, LIMIT_MAX)?),
                unknown => return Err(Problem::unknown_parameter(unknown)),
            }
            Ok(())
        })?;
        let wanted = match (text, ids) {
            (Some(text), None) => named(&text, limit.unwrap_or(LIMIT_DEFAULT))?,
            (None, Some(ids)) if limit.is_none() => Wanted::Known(ids),
            (None, Some(_)) => {
                return Err(Problem::invalid_parameter("limit", "limit goes with q alone"));
            }
            (None, None) | (Some(_), Some(_)) => {
                let detail = "either q or ids is needed, and not both";
                return Err(Problem::invalid_parameter("q", detail).about("ids"));
            }
        };
        Ok(Self { wanted })
    }
}

fn named(text: &str, limit: u16) -> Result<Wanted, Problem> {
    let wrong = |detail| Problem::invalid_parameter("q", detail);
    if text.len() > EmailKey::MAX_BYTES {
        return Err(wrong("q has 254 bytes of UTF-8 at most"));
    }
    if let Some(email) = EmailKey::parse(text) {
        return Ok(Wanted::Addressed { email, limit });
    }
    let prefix = NamePrefix::of(text);
    let prefix =
        prefix.ok_or_else(|| wrong("q has no letter or digit that a name could begin with"))?;
    Ok(Wanted::Named { prefix, limit })
}

fn parse_ids(value: &str) -> Result<Vec<UserId>, Problem> {
    let wrong = |detail| Problem::invalid_parameter("ids", detail);
    let mut ids = Vec::new();
    for (number, text) in value.split(',').enumerate() {
        if number >= IDS_MAX {
            return Err(wrong("ids are 100 at most"));
        }
        let id = UserId::parse(text).map_err(|_| wrong("one of the ids cannot be one"))?;
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    Ok(ids)
}
