//! The parameters of a history request.

use chrono::{DateTime, Utc};

use crate::http::parameters::{LIMIT_DEFAULT, LIMIT_MAX, once_each, parse_limit};
use crate::http::problem::Problem;
use crate::message::{Cursor, MessageId, RoomId};
use crate::refusal::Refusal;

/// Which messages are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HistoryQuery {
    pub(super) room_id: RoomId,
    pub(super) before: Option<Bound>,
    pub(super) after: Option<Bound>,
    pub(super) limit: u16,
}

/// Where a history begins or ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bound {
    /// At a place in the room's order.
    Cursor(Cursor),
    /// At the first message of that time or later.
    Time(DateTime<Utc>),
    /// At that message of the room.
    Message(MessageId),
}

impl HistoryQuery {
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let (mut before, mut after, mut limit) = (None, None, LIMIT_DEFAULT);
        let mut room_id = RoomId::lobby();
        once_each(query, |name, value| {
            match name {
                // What is not a room's id is not a room either.
                "room_id" => {
                    room_id = RoomId::parse(value).map_err(|_| Refusal::UNKNOWN_ROOM)?;
                }
                "before" => before = Some(bound("before", value)?),
                "after" => after = Some(bound("after", value)?),
                "limit" => limit = parse_limit(value, LIMIT_MAX)?,
                unknown => return Err(Problem::unknown_parameter(unknown)),
            }
            Ok(())
        })?;
        Ok(Self { room_id, before, after, limit })
    }
}

/// Which message is asked for, besides its id.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MessageQuery {
    /// The room that it is said to be in.
    pub(super) room: Option<RoomId>,
}

impl MessageQuery {
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let mut room = None;
        once_each(query, |name, value| match name {
            // A message is in no room that cannot be.
            "room_id" => {
                room = Some(RoomId::parse(value).map_err(|_| Problem::unknown_message())?);
                Ok(())
            }
            unknown => Err(Problem::unknown_parameter(unknown)),
        })?;
        Ok(Self { room })
    }
}

/// Which texts of a message are asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct VersionsQuery {
    pub(super) room: Option<RoomId>,
    pub(super) after: Option<Cursor>,
    pub(super) limit: u16,
}

impl VersionsQuery {
    pub(super) fn parse(query: &str) -> Result<Self, Problem> {
        let (mut room, mut after, mut limit) = (None, None, LIMIT_DEFAULT);
        once_each(query, |name, value| {
            match name {
                "room_id" => {
                    room = Some(RoomId::parse(value).map_err(|_| Problem::unknown_message())?);
                }
                "after" => {
                    let cursor = Cursor::parse(value)
                        .map_err(|_| Problem::invalid_parameter("after", "this is not a cursor"))?;
                    after = Some(cursor);
                }
                "limit" => limit = parse_limit(value, LIMIT_MAX)?,
                unknown => return Err(Problem::unknown_parameter(unknown)),
            }
            Ok(())
        })?;
        Ok(Self { room, after, limit })
    }
}

fn bound(name: &str, value: &str) -> Result<Bound, Problem> {
    if let Ok(cursor) = Cursor::parse(value) {
        return Ok(Bound::Cursor(cursor));
    }
    if let Ok(id) = MessageId::parse(value) {
        return Ok(Bound::Message(id));
    }
    let time = DateTime::parse_from_rfc3339(value).map_err(|_| {
        // What a plus sign in a query stands for.
        let was_plus = DateTime::parse_from_rfc3339(&value.replace(' ', "+")).is_ok();
        let detail = if was_plus {
            "a plus sign in a query means a blank: write it as %2B, or end the time with Z"
        } else {
            "neither a cursor, nor a message's id, nor a time such as 2026-11-22T08:15:30Z"
        };
        Problem::invalid_parameter(name, detail)
    })?;
    Ok(Bound::Time(time.to_utc()))
}
