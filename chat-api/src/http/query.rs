//! The parameters of a history request.

use url::form_urlencoded;

use super::Problem;
use crate::message::{Cursor, RoomId};

/// How many messages a page has unless asked otherwise, and at most.
const LIMIT_DEFAULT: u16 = 50;
const LIMIT_MAX: u16 = 200;

/// Which messages are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryQuery {
    pub(super) room_id: RoomId,
    pub(super) before: Option<Cursor>,
    pub(super) after: Option<Cursor>,
    pub(super) limit: u16,
}

impl HistoryQuery {
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let (mut before, mut after, mut limit) = (None, None, LIMIT_DEFAULT);
        let mut room_id = RoomId::lobby();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            match name.as_ref() {
                // What is not a room's id is not a room either.
                "room_id" => {
                    room_id = RoomId::parse(&value).map_err(|_| Problem::unknown_room())?;
                }
                "before" => before = Some(cursor("before", &value)?),
                "after" => after = Some(cursor("after", &value)?),
                "limit" => limit = parse_limit(&value)?,
                unknown => return Err(Problem::unknown_parameter(unknown)),
            }
        }
        Ok(Self { room_id, before, after, limit })
    }
}

fn cursor(name: &str, value: &str) -> Result<Cursor, Problem> {
    Cursor::parse(value).map_err(|error| Problem::invalid_parameter(name, error.to_string()))
}

fn parse_limit(value: &str) -> Result<u16, Problem> {
    let limit = value.parse().ok().filter(|limit| (1..=LIMIT_MAX).contains(limit));
    limit.ok_or_else(|| {
        Problem::invalid_parameter("limit", format!("limit is a number from 1 to {LIMIT_MAX}"))
    })
}
