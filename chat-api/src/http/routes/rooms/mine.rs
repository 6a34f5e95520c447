//! `/v1/rooms` as a list: the rooms of the caller.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use http::header::LINK;
use serde::Serialize;
use utoipa::ToSchema;

use super::shown::role;
use crate::archive::{Behind, MyRoom, MyRooms};
use crate::auth::Caller;
use crate::http::header;
use crate::http::parameters::{LIMIT_DEFAULT, LIMIT_MAX, once_each, parse_limit};
use crate::http::problem::Problem;
use crate::http::routes::messages::Message;
use crate::message::{RoomId, RoomName};
use crate::rooms::{Phase, RoomKind};
use crate::service::Service;

/// A room of the caller.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct ShownMyRoom {
    /// The room.
    #[schema(value_type = String)]
    room_id: RoomId,
    /// Who may be in it: `public`, `group` or `direct`.
    #[schema(value_type = String)]
    kind: RoomKind,
    /// What it is called. A direct room is called after the other person.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    name: Option<RoomName>,
    /// Whether it is only read.
    archived: bool,
    /// What the caller is to it: `owner` or `member`.
    role: &'static str,
    /// When something was said there last, or when the caller came.
    active_at: DateTime<Utc>,
    /// What was said last.
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Message>,
    /// How many messages of others lie behind the caller's marker, deleted ones too. 100 means that many or
    /// more.
    #[schema(minimum = 0, maximum = 100)]
    unread: u32,
}

/// Lists the caller's rooms.
#[utoipa::path(
    get, path = "/rooms", operation_id = "getMyRooms", tag = "rooms",
    summary = "Retrieve one's rooms",
    description = "Returns a page of the rooms that the caller is in, those in which something was said last first, with how much there is unread.",
    security(("bearerAuth" = [])),
    params(
        ("after" = Option<String>, Query, pattern = "^[0-9]{1,15}\\.[a-z0-9_-]{1,64}$", description = "Only rooms behind this place, which `Link` names."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "At most so many; 50 if left out."),
    ),
    responses(
        (status = 200, description = "The rooms.", body = [ShownMyRoom], headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        (status = 400, description = "Invalid parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The rooms cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (mut after, mut limit) = (None, LIMIT_DEFAULT);
    once_each(query.as_deref().unwrap_or_default(), |name, value| {
        match name {
            "after" => after = Some(behind(value)?),
            "limit" => limit = parse_limit(value, LIMIT_MAX)?,
            unknown => return Err(Problem::unknown_parameter(unknown)),
        }
        Ok(())
    })?;
    let reader = service.reads.admit(&caller.author.user_id)?;
    let rooms = MyRooms::of(&reader).page(after.as_ref(), limit).await?;
    let next = rooms.last().filter(|_| rooms.len() == usize::from(limit)).map(|last| {
        let (at, room) = (last.active_at.timestamp_millis(), &last.room_id);
        format!("</v1/rooms?after={at}.{room}&limit={limit}>; rel=\"next\"")
    });
    let shown: Vec<_> = rooms.into_iter().filter_map(of_mine).collect();
    let mut response = Json(shown).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(LINK, header::value(&next));
    }
    Ok(response)
}

/// A place in the list: milliseconds since 1970, a dot and a room.
fn behind(text: &str) -> Result<Behind, Problem> {
    let parse = || {
        let (millis, room) = text.split_once('.')?;
        let active_at = DateTime::from_timestamp_millis(millis.parse().ok()?)?;
        Some(Behind { active_at, room_id: RoomId::parse(room).ok()? })
    };
    parse().ok_or_else(|| Problem::invalid_parameter("after", "this is no place in the list"))
}

fn of_mine(mine: MyRoom) -> Option<ShownMyRoom> {
    let MyRoom { room_id, room, standing, active_at, last, unread } = mine;
    Some(ShownMyRoom {
        room_id,
        kind: room.kind,
        name: room.name,
        archived: room.phase == Phase::Archived,
        role: role(standing)?,
        active_at,
        last: last.map(Message::from),
        unread,
    })
}
