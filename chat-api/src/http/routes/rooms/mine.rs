//! `/v1/rooms` as a list: the rooms of the caller, or public ones by their names.

use std::sync::Arc;

use axum::Json;
use axum::extract::{RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use http::header::LINK;
use serde::Serialize;
use utoipa::ToSchema;

use super::shown::role;
use crate::archive::{Behind, Finder, MyRoom, MyRooms};
use crate::auth::Caller;
use crate::http::header;
use crate::http::parameters::{LIMIT_DEFAULT, LIMIT_MAX, once_each, parse_limit};
use crate::http::problem::Problem;
use crate::http::routes::messages::Message;
use crate::message::{RoomId, RoomName};
use crate::people::NamePrefix;
use crate::rooms::{Phase, Room, RoomKind};
use crate::service::Service;

/// As much of a name as is looked at, in bytes.
const Q_MAX: usize = 254;

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

/// A room that everybody may read, as it is found.
#[derive(Serialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http::routes) struct FoundRoom {
    /// The room.
    #[schema(value_type = String)]
    room_id: RoomId,
    /// Always `public`.
    #[schema(value_type = String)]
    kind: RoomKind,
    /// What it is called.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    name: Option<RoomName>,
    /// Whether it is only read.
    archived: bool,
}

/// A room of a list.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
pub(in crate::http::routes) enum ListedRoom {
    /// One that the caller is in.
    Mine(Box<ShownMyRoom>),
    /// One that everybody may read.
    Public(FoundRoom),
}

/// What is asked for.
#[derive(Default)]
struct RoomsQuery {
    is_public: bool,
    prefix: Option<NamePrefix>,
    after: Option<Behind>,
    limit: Option<u16>,
}

/// Lists the caller's rooms, or finds public ones.
#[utoipa::path(
    get, path = "/rooms", operation_id = "getRooms", tag = "rooms",
    summary = "Retrieve one's rooms, or find public ones",
    description = "Returns a page of the rooms that the caller is in, those in which something was said last first, with how much there is unread. With `scope=public`, public rooms by the beginning of a word of their name, whether or not the caller is in them.",
    security(("bearerAuth" = [])),
    params(
        ("scope" = Option<String>, Query, pattern = "^(mine|public)$", description = "`mine` if left out."),
        ("q" = Option<String>, Query, min_length = 1, max_length = 254, description = "With `scope=public`: the beginning of any word of the name, without regard to case and accents. Any room if left out."),
        ("after" = Option<String>, Query, pattern = "^[0-9]{1,15}\\.[a-z0-9_-]{1,64}$", description = "Of one's own: only rooms behind this place, which `Link` names."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "At most so many; 50 if left out."),
    ),
    responses(
        (status = 200, description = "The rooms.", body = [ListedRoom], headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
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
    let query = RoomsQuery::parse(query.as_deref().unwrap_or_default())?;
    let reader = service.reads.admit(&caller.author.user_id)?;
    let (after, limit) = (query.after, query.limit.unwrap_or(LIMIT_DEFAULT));
    if query.is_public {
        let found = Finder::of(&reader).by_name(query.prefix.as_ref(), limit).await?;
        let found =
            found.into_iter().map(|(room_id, room)| ListedRoom::Public(found_room(room_id, room)));
        return Ok(Json(found.collect::<Vec<_>>()).into_response());
    }
    let rooms = MyRooms::of(&reader).page(after.as_ref(), limit).await?;
    let next = rooms.last().filter(|_| rooms.len() == usize::from(limit)).map(|last| {
        let (at, room) = (last.active_at.timestamp_millis(), &last.room_id);
        format!("</v1/rooms?after={at}.{room}&limit={limit}>; rel=\"next\"")
    });
    let shown: Vec<_> = rooms
        .into_iter()
        .filter_map(of_mine)
        .map(|mine| ListedRoom::Mine(Box::new(mine)))
        .collect();
    let mut response = Json(shown).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(LINK, header::value(&next));
    }
    Ok(response)
}

impl RoomsQuery {
    fn parse(query: &str) -> Result<Self, Problem> {
        let mut parsed = Self::default();
        once_each(query, |name, value| {
            match name {
                "scope" => parsed.is_public = scope(value)?,
                "q" => parsed.prefix = Some(prefix(value)?),
                "after" => parsed.after = Some(behind(value)?),
                "limit" => parsed.limit = Some(parse_limit(value, LIMIT_MAX)?),
                unknown => return Err(Problem::unknown_parameter(unknown)),
            }
            Ok(())
        })?;
        if parsed.is_public && parsed.after.is_some() {
            return Err(Problem::invalid_parameter("after", "of public rooms there is one page"));
        }
        if !parsed.is_public && parsed.prefix.is_some() {
            return Err(Problem::invalid_parameter("q", "q goes with scope=public alone"));
        }
        Ok(parsed)
    }
}

/// Whether public rooms are asked for.
fn scope(value: &str) -> Result<bool, Problem> {
    match value {
        "mine" => Ok(false),
        "public" => Ok(true),
        _ => Err(Problem::invalid_parameter("scope", "scope is mine or public")),
    }
}

fn prefix(value: &str) -> Result<NamePrefix, Problem> {
    if value.len() > Q_MAX {
        return Err(Problem::invalid_parameter("q", "q has 254 bytes of UTF-8 at most"));
    }
    let none = "q has no letter or digit that a name could begin with";
    NamePrefix::of(value).ok_or_else(|| Problem::invalid_parameter("q", none))
}

fn found_room(room_id: RoomId, Room { kind, name, phase }: Room) -> FoundRoom {
    FoundRoom { room_id, kind, name, archived: phase == Phase::Archived }
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
