//! `/v1/users/online` and `/v1/rooms/{room_id}/presence`: who is online.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::header::LINK;
use serde::Serialize;
use utoipa::ToSchema;

use super::rooms::path::room_id;
use crate::auth::Caller;
use crate::http::header;
use crate::http::parameters::{LIMIT_DEFAULT, LIMIT_MAX, once_each, parse_limit};
use crate::http::problem::Problem;
use crate::message::{RoomId, UserId};
use crate::presence::{Crowd, Person, RoomPresence};
use crate::refusal::Refusal;
use crate::service::Service;

/// Somebody who is online.
#[derive(Serialize, ToSchema)]
pub(super) struct OnlineUser {
    /// The ID of the user.
    user_id: String,
    /// The name of that user.
    user_name: String,
}

/// Who of a room is online.
#[derive(Serialize, ToSchema)]
pub(super) struct RoomOnline {
    /// The room.
    #[schema(value_type = String)]
    room_id: RoomId,
    /// How many people are online.
    online: usize,
    /// Who they are, to members; left out of the lobby, and of a room with more than 500 of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(max_items = 500)]
    people: Option<Vec<OnlineUser>>,
}

impl From<Person> for OnlineUser {
    fn from(Person { user_id, user_name }: Person) -> Self {
        Self { user_id: user_id.into(), user_name: user_name.into() }
    }
}

/// Lists everybody who is online, each person once, in the order of their ids.
#[utoipa::path(
    get, path = "/users/online", operation_id = "getOnlineUsers", tag = "presence",
    summary = "Retrieve the active users",
    description = "Returns who is online at any replica. Whoever comes or goes meanwhile may be missing, or be there. `Link` with `rel=\"next\"` leads to the next page.",
    security(("bearerAuth" = [])),
    params(
        ("after" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]+$", description = "Where the page before ended, as its `Link` says."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "At most so many users; 50 if left out."),
    ),
    responses(
        (status = 200, description = "The users.", body = Vec<OnlineUser>, headers(("Link" = String, description = "The next page, if there is one."))),
        (status = 400, description = "Invalid parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Tokens cannot be checked at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn online(
    State(service): State<Arc<Service>>,
    caller: Caller,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (mut after, mut limit) = (None, LIMIT_DEFAULT);
    once_each(query.as_deref().unwrap_or_default(), |name, value| {
        match name {
            "after" => after = Some(place(value)?),
            "limit" => limit = parse_limit(value, LIMIT_MAX)?,
            unknown => return Err(Problem::unknown_parameter(unknown)),
        }
        Ok(())
    })?;
    // A page costs no archive, and counts as if it did.
    service.reads.admit(&caller.author.user_id)?;
    let (page, more) = service.presence.page(after.as_ref(), limit.into());
    let next = page.last().filter(|_| more).map(|last| {
        let after = URL_SAFE_NO_PAD.encode(last.user_id.as_str());
        format!("</v1/users/online?after={after}&limit={limit}>; rel=\"next\"")
    });
    let users: Vec<OnlineUser> = page.into_iter().map(OnlineUser::from).collect();
    let mut response = Json(users).into_response();
    if let Some(link) = next {
        response.headers_mut().insert(LINK, header::value(&link));
    }
    Ok(response)
}

/// The id after which a page begins.
fn place(value: &str) -> Result<UserId, Problem> {
    let bytes = URL_SAFE_NO_PAD.decode(value).ok();
    let text = bytes.and_then(|bytes| String::from_utf8(bytes).ok());
    let place = text.and_then(|text| UserId::parse(&text).ok());
    place.ok_or_else(|| Problem::invalid_parameter("after", "this is no place of this list"))
}

/// Says who of a room is online.
#[utoipa::path(
    get, path = "/rooms/{room_id}/presence", operation_id = "getRoomPresence", tag = "presence",
    summary = "Retrieve who of a room is online",
    description = "Returns how many people of a room are online, and to its members who they are, if they are few. The lobby is everybody's: it has a number only.",
    security(("bearerAuth" = [])),
    params(("room_id" = String, Path, description = "The id of the room.")),
    responses(
        (status = 200, description = "Who is online.", body = RoomOnline),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The room cannot be read, or tokens cannot be checked at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn of_room(
    State(service): State<Arc<Service>>,
    caller: Caller,
    room: Result<Path<String>, PathRejection>,
) -> Result<Json<RoomOnline>, Problem> {
    let person = &caller.author.user_id;
    let room_id = room_id(room.ok().map(|Path(room)| room))?;
    let access = service.rooms.access(&room_id, person).await?;
    if !access.may_read() {
        return Err(Refusal::UNKNOWN_ROOM.into());
    }
    service.reads.admit(person)?;
    let crowd = service.hub.room(service.partitioner.of(&room_id), &room_id, Crowd::of);
    // It was let go meanwhile.
    let crowd = crowd.ok_or_else(Problem::history_busy)?;
    let RoomPresence { online, people } = service.presence.of_room(&crowd);
    let people = people.filter(|_| access.is_member());
    let people = people.map(|people| people.into_iter().map(OnlineUser::from).collect());
    Ok(Json(RoomOnline { room_id, online, people }))
}
