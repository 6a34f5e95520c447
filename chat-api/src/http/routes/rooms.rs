//! `/v1/rooms`, and `/v1/direct/{user_id}`: rooms, made and changed.

pub(super) mod markers;
pub(super) mod members;
pub(super) mod mine;
pub(super) mod path;
mod shown;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::LOCATION;
use serde::Serialize;
use utoipa::ToSchema;

use crate::auth::Caller;
use crate::http::body::JsonRequest;
use crate::http::header;
use crate::http::problem::Problem;
use crate::hub::Known;
use crate::ingest::{SendError, Settled};
use crate::message::{
    Cursor, FieldError, Fields, MessageId, RoomId, RoomName, Settings, UserId, Visibility,
};
use crate::refusal::Refusal;
use crate::rooms::{Access, Command, Phase, Refused, RoomKind, RoomState, RoomWish, direct};
use crate::service::Service;
use crate::visitor::Visitor;
use path::{room_id, user_id};
use shown::{EnqueuedChange, enqueued, role};

/// A room to be made.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that complaints name the field"
)]
#[serde(deny_unknown_fields)]
pub(super) struct NewRoom {
    /// What it is called: 1 to 128 characters, of which one can be seen.
    #[schema(min_length = 1, max_length = 128)]
    name: String,
    /// Who may find, read and join it: everybody (`public`), or whom its members invite (`group`).
    #[schema(pattern = "^(public|group)$")]
    kind: String,
}

/// What is to be another way of a room; what is left out stays.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that complaints name the field"
)]
#[serde(deny_unknown_fields)]
pub(super) struct RoomChanges {
    /// What it is called.
    #[schema(min_length = 1, max_length = 128)]
    name: Option<String>,
    /// Who may find, read and join it.
    #[schema(pattern = "^(public|group)$")]
    kind: Option<String>,
    /// Whether it is only read.
    archived: Option<bool>,
}

/// A room, as this replica knows it.
#[derive(Serialize, ToSchema)]
pub(super) struct ShownRoom {
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
    /// How many are in it.
    members: u32,
    /// What the caller is to it: `owner`, `member`, or left out.
    #[serde(skip_serializing_if = "Option::is_none")]
    role: Option<&'static str>,
    /// The place of the change, after one.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Makes a room.
#[utoipa::path(
    post, path = "/rooms", operation_id = "createRoom", tag = "rooms",
    summary = "Create a room",
    description = "Makes a public room or a group, which the caller owns. With a key it may be asked for again until it is answered, and is made once.",
    security(("bearerAuth" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "The caller's own name for this room: asked for again under it, it is made once.",
    )),
    request_body(content = inline(NewRoom), content_type = "application/json"),
    responses(
        (status = 200, description = "It was made before under this key.", body = ShownRoom),
        (status = 201, description = "It is made.", body = ShownRoom, headers(("Location" = String, description = "Where it is."))),
        (status = 202, description = "It is enqueued, and this replica has not read it in time.", body = EnqueuedChange),
        (status = 400, description = "Invalid request body or key.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "The room that was made with this key is deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not application/json, or is compressed.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the room.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the room cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn create(
    State(service): State<Arc<Service>>,
    caller: Caller,
    JsonRequest { headers, mut fields }: JsonRequest,
) -> Result<Response, Problem> {
    fields.only(&["name", "kind"])?;
    let name = room_name(&fields.text("name")?)?;
    let visibility = visibility(&fields.text("kind")?)?;
    let of_record =
        || RoomId::of_record(MessageId::new((service.sources.now)(), (service.sources.random)()));
    let key = header::key(&headers)?;
    let room = key.map_or_else(of_record, |key| RoomId::of_key(&caller.author.user_id, &key));
    let wish = RoomWish::Room(Command::Create { visibility, name });
    change(&service, &caller, &room, &wish, StatusCode::CREATED).await
}

/// Shows a room.
#[utoipa::path(
    get, path = "/rooms/{room_id}", operation_id = "getRoom", tag = "rooms",
    summary = "Retrieve a room",
    description = "Returns a room that the caller may read; a public one guests may, too.",
    security(("bearerAuth" = []), ()),
    params(("room_id" = String, Path, description = "The room.")),
    responses(
        (status = 200, description = "The room.", body = ShownRoom),
        (status = 401, description = "Missing or invalid token; where guests are let in, their reads of public rooms need none.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person, or of the guests of this network, in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The room cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn one(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    room: Result<Path<String>, PathRejection>,
) -> Result<Json<ShownRoom>, Problem> {
    let room = room_id(room.ok().map(|Path(room)| room))?;
    if !service.rooms.visitor_access(&room, &visitor).await?.may_read() {
        return Err(Refusal::UNKNOWN_ROOM.into());
    }
    shown(&service, visitor.person(), &room, None).map(Json)
}

/// Changes a room.
#[utoipa::path(
    patch, path = "/rooms/{room_id}", operation_id = "changeRoom", tag = "rooms",
    summary = "Change a room",
    description = "Renames a room, opens or closes it, has it only read or goes on with it. Only owners may.",
    security(("bearerAuth" = [])),
    params(("room_id" = String, Path, description = "The room.")),
    request_body(content = inline(RoomChanges), content_type = "application/json"),
    responses(
        (status = 200, description = "It is so.", body = ShownRoom),
        (status = 202, description = "It is enqueued, and this replica has not read it in time.", body = EnqueuedChange),
        (status = 400, description = "Invalid request body.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only owners may.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is a direct room, it is archived, or others changed it at the same time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not application/json, or is compressed.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the room cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn set(
    State(service): State<Arc<Service>>,
    caller: Caller,
    room: Result<Path<String>, PathRejection>,
    JsonRequest { mut fields, .. }: JsonRequest,
) -> Result<Response, Problem> {
    let room = room_id(room.ok().map(|Path(room)| room))?;
    let wish = RoomWish::Room(Command::Change(settings(&mut fields)?));
    change(&service, &caller, &room, &wish, StatusCode::OK).await
}

/// Deletes a room.
#[utoipa::path(
    delete, path = "/rooms/{room_id}", operation_id = "deleteRoom", tag = "rooms",
    summary = "Delete a room",
    description = "Deletes a room, for good: nobody reads it any more. Only owners may.",
    security(("bearerAuth" = [])),
    params(("room_id" = String, Path, description = "The room.")),
    responses(
        (status = 202, description = "It is enqueued, and this replica has not read it in time.", body = EnqueuedChange),
        (status = 204, description = "It is gone."),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only owners may.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is a direct room, or others changed it at the same time.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the room cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn delete(
    State(service): State<Arc<Service>>,
    caller: Caller,
    room: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let room = room_id(room.ok().map(|Path(room)| room))?;
    let wish = RoomWish::Room(Command::Delete);
    let settled = service.ingest.propose(&caller.author, &room, &wish).await;
    match settled.map_err(Refusal::from)? {
        Settled::Enqueued(message_id) => Ok(enqueued(message_id, room)),
        Settled::Applied(_) | Settled::Already => Ok(StatusCode::NO_CONTENT.into_response()),
    }
}

/// Makes the direct room with somebody.
#[utoipa::path(
    put, path = "/direct/{user_id}", operation_id = "openDirectRoom", tag = "rooms",
    summary = "Open the direct room with a person",
    description = "Returns the direct room of the caller and that person, which is made if it is not there. Whoever asks first, it is the same one.",
    security(("bearerAuth" = [])),
    params(("user_id" = String, Path, description = "The other person.")),
    responses(
        (status = 200, description = "It was there.", body = ShownRoom),
        (status = 201, description = "It is made.", body = ShownRoom, headers(("Location" = String, description = "Where it is."))),
        (status = 202, description = "It is enqueued, and this replica has not read it in time.", body = EnqueuedChange),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There can be no such person.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "It is the caller.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the room.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the room cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn direct(
    State(service): State<Arc<Service>>,
    caller: Caller,
    person: Result<Path<String>, PathRejection>,
) -> Result<Response, Problem> {
    let person = user_id(person.ok().map(|Path(person)| person))?;
    let room = direct::room_of(&caller.author.user_id, &person)
        .ok_or(Refusal::from(SendError::Room(Refused::Oneself)))?;
    let wish = RoomWish::Room(Command::CreateDirect(person));
    change(&service, &caller, &room, &wish, StatusCode::CREATED).await
}

/// Does something about a room, and shows it as it is then: with that status if it was not so before.
async fn change(
    service: &Service,
    caller: &Caller,
    room: &RoomId,
    wish: &RoomWish,
    done: StatusCode,
) -> Result<Response, Problem> {
    let settled = service.ingest.propose(&caller.author, room, wish).await;
    let (status, cursor) = match settled.map_err(Refusal::from)? {
        Settled::Applied(cursor) => (done, Some(cursor)),
        Settled::Already => (StatusCode::OK, None),
        Settled::Enqueued(message_id) => return Ok(enqueued(message_id, room.clone())),
    };
    let shown = shown(service, Some(&caller.author.user_id), room, cursor)?;
    let mut response = (status, Json(shown)).into_response();
    if status == StatusCode::CREATED {
        response.headers_mut().insert(LOCATION, header::value(&format!("/v1/rooms/{room}")));
    }
    Ok(response)
}

/// A room as a person sees it who may, or without one a guest.
fn shown(
    service: &Service,
    person: Option<&UserId>,
    room: &RoomId,
    cursor: Option<Cursor>,
) -> Result<ShownRoom, Problem> {
    let partition = service.partitioner.of(room);
    service.hub.room(partition, room, |known| match known {
        Known::Room(state) if known.access(person).is_some_and(Access::may_read) => {
            of_state(state, person, room, cursor).ok_or_else(|| Refusal::UNKNOWN_ROOM.into())
        }
        Known::Lobby => Ok(ShownRoom {
            room_id: room.clone(),
            kind: RoomKind::Public,
            name: None,
            archived: false,
            members: 0,
            role: None,
            cursor,
        }),
        Known::Room(_) => Err(Refusal::UNKNOWN_ROOM.into()),
        Known::Unloaded => Err(Problem::unloaded()),
        // It was let go meanwhile.
        Known::NotLoaded => Err(Problem::history_busy()),
    })
}

fn of_state(
    state: &RoomState,
    person: Option<&UserId>,
    room: &RoomId,
    cursor: Option<Cursor>,
) -> Option<ShownRoom> {
    let made = state.room()?;
    Some(ShownRoom {
        room_id: room.clone(),
        kind: made.kind,
        name: made.name.clone(),
        archived: made.phase == Phase::Archived,
        members: state.members(),
        role: person.and_then(|person| state.standing(person)).and_then(role),
        cursor,
    })
}

fn room_name(name: &str) -> Result<RoomName, Problem> {
    let expected = "1 to 128 characters, of which one can be seen";
    Ok(RoomName::parse(name).map_err(|_| FieldError::WrongType { field: "name", expected })?)
}

fn visibility(kind: &str) -> Result<Visibility, Problem> {
    match kind {
        "public" => Ok(Visibility::Public),
        "group" => Ok(Visibility::Group),
        _ => {
            let wrong =
                FieldError::WrongType { field: "kind", expected: "\"public\" or \"group\"" };
            Err(wrong.into())
        }
    }
}

fn settings(fields: &mut Fields) -> Result<Settings, Problem> {
    fields.only(&["name", "kind", "archived"])?;
    let settings = Settings {
        name: fields.optional_text("name")?.as_deref().map(room_name).transpose()?,
        visibility: fields.optional_text("kind")?.as_deref().map(visibility).transpose()?,
        archived: fields.optional_bool("archived")?,
    };
    if settings == Settings::default() {
        return Err(FieldError::Missing("name, kind or archived").into());
    }
    Ok(settings)
}
