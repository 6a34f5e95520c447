//! `/v1/rooms/{room_id}/marker` and `/v1/rooms/{room_id}/markers`: how far people have read a room.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::header::LINK;
use serde::Serialize;
use tokio::time::timeout;
use utoipa::ToSchema;

use super::members::{next_page, page};
use super::room_id;
use crate::archive::{Markers, Members, Reader};
use crate::auth::Caller;
use crate::http::body::JsonRequest;
use crate::http::header;
use crate::http::problem::Problem;
use crate::ingest::{Marked, SendError};
use crate::message::{Cursor, FieldError, Marker, RoomId, UserId};
use crate::refusal::Refusal;
use crate::rooms::Refused;
use crate::service::Service;

/// How long this replica may take to read what the archive has already.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Up to where the caller has read a room.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that complaints name the field"
)]
#[serde(deny_unknown_fields)]
pub(in crate::http::routes) struct NewMarkerOf {
    /// The last place that was read: a cursor of the room.
    #[schema(min_length = 16, max_length = 16)]
    cursor: String,
}

/// A marker was set, or was there already.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct SetMarker {
    /// The room.
    #[schema(value_type = String)]
    room_id: RoomId,
    /// `applied`, or `unchanged` if the caller had read as far before.
    #[schema(example = "applied")]
    status: &'static str,
    /// Up to where the caller has read now.
    #[schema(value_type = String)]
    cursor: Cursor,
}

/// Up to where somebody has read a room.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct ShownMarker {
    /// The person.
    #[schema(value_type = String)]
    user_id: UserId,
    /// The last place that they have read.
    #[schema(value_type = String)]
    cursor: Cursor,
}

/// Notes up to where the caller has read.
#[utoipa::path(
    put, path = "/rooms/{room_id}/marker", operation_id = "putMarker", tag = "rooms",
    summary = "Mark a room as read up to a place",
    description = "Moves the caller's marker forward, on all devices. A place that is not newer changes nothing. Saying something moves it as well.",
    security(("bearerAuth" = [])),
    params(("room_id" = String, Path, description = "The room.")),
    request_body(content = inline(NewMarkerOf), content_type = "application/json"),
    responses(
        (status = 200, description = "It is so.", body = SetMarker),
        (status = 400, description = "Invalid request body, a cursor of another room, or one beyond the log.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only members may.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not application/json, or is compressed.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the marker.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the room cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn put(
    State(service): State<Arc<Service>>,
    caller: Caller,
    room: Result<Path<String>, PathRejection>,
    JsonRequest { mut fields, .. }: JsonRequest,
) -> Result<Json<SetMarker>, Problem> {
    let room_id = room_id(room.ok().map(|Path(room)| room))?;
    fields.only(&["cursor"])?;
    let wrong = FieldError::WrongType { field: "cursor", expected: "a cursor" };
    let cursor = Cursor::parse(&fields.text("cursor")?).map_err(|_| wrong)?;
    let marked = service.ingest.mark(&caller.author, &room_id, cursor).await;
    let Marked { cursor, is_new } = marked.map_err(Refusal::from)?;
    let status = if is_new { "applied" } else { "unchanged" };
    Ok(Json(SetMarker { room_id, status, cursor }))
}

/// Lists how far the members of a room have read it.
#[utoipa::path(
    get, path = "/rooms/{room_id}/markers", operation_id = "getMarkers", tag = "rooms",
    summary = "Retrieve how far a room was read",
    description = "Returns up to where the members of a room have read it, in the order of their ids. Whoever has read nothing is left out, so that a page may be shorter than asked for and not the last one. In the lobby, only the caller.",
    security(("bearerAuth" = [])),
    params(
        ("room_id" = String, Path, description = "The room."),
        ("after" = Option<String>, Query, description = "Only members behind this one, in the order of their ids."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "Of at most so many members; 50 if left out."),
    ),
    responses(
        (status = 200, description = "How far they have read.", body = [ShownMarker], headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        (status = 400, description = "Invalid parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only members see it.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The markers cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn list(
    State(service): State<Arc<Service>>,
    caller: Caller,
    room: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let room = room_id(room.ok().map(|Path(room)| room))?;
    let (after, limit) = page(query.as_deref().unwrap_or_default())?;
    let person = &caller.author.user_id;
    let access = service.rooms.access(&room, person).await?;
    let is_lobby = room.as_str() == RoomId::LOBBY;
    if !access.may_read() {
        return Err(Refusal::UNKNOWN_ROOM.into());
    }
    if !access.is_member() && !is_lobby {
        return Err(Refusal::from(SendError::Room(Refused::NotAllowed)).into());
    }
    let reader = service.reads.admit(person)?;
    // The lobby has no members: how far somebody has read there is nobody else's business.
    let people = if is_lobby {
        vec![person.clone()]
    } else {
        members(&reader, &room, after.as_ref(), limit).await?
    };
    let markers = Markers::of(&reader).of_people(&room, &people.iter().collect::<Vec<_>>()).await?;
    // Nobody is told more than what this replica has read.
    let partition = service.partitioner.of(&room);
    if let Some(newest) = markers.iter().map(|marker| marker.position).max() {
        let reached = service.hub.reached(partition, newest.next());
        timeout(LONGEST_WAIT, reached).await.map_err(|_| Problem::behind())?;
    }
    let shown = |Marker { user_id, position, .. }: Marker| ShownMarker {
        user_id,
        cursor: Cursor { partition, position },
    };
    let shown: Vec<_> = markers.into_iter().map(shown).collect();
    let mut response = Json(shown).into_response();
    let last = people.last().filter(|_| !is_lobby && people.len() == usize::from(limit));
    if let Some(last) = last {
        let next = next_page(&format!("/v1/rooms/{room}/markers"), last, limit);
        response.headers_mut().insert(LINK, header::value(&next));
    }
    Ok(response)
}

async fn members(
    reader: &Reader<'_>,
    room: &RoomId,
    after: Option<&UserId>,
    limit: u16,
) -> Result<Vec<UserId>, Problem> {
    let members = Members::of(reader).page(room, after, limit).await?;
    Ok(members.into_iter().map(|member| member.user_id).collect())
}
