//! `/v1/rooms/{room_id}/members/{user_id}`: who is in a room, and as what.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use http::header::LINK;
use serde::Serialize;
use tokio::time::timeout;
use url::form_urlencoded;
use utoipa::ToSchema;

use super::path::{room_id, user_id};
use super::shown::{EnqueuedChange, enqueued, role};
use crate::archive::{Directory, Member, Members, ReadError, Reader};
use crate::auth::Caller;
use crate::http::body::JsonRequest;
use crate::http::header;
use crate::http::parameters::{LIMIT_DEFAULT, LIMIT_MAX, once_each, parse_limit};
use crate::http::problem::Problem;
use crate::ingest::{SendError, Settled};
use crate::message::{Cursor, FieldError, RoomId, UserId, UserName};
use crate::refusal::Refusal;
use crate::rooms::{Refused, Role, RoomWish, ToBe};
use crate::service::Service;

/// How long this replica may take to read what the archive has already.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// What a person is to be to a room.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that complaints name the field"
)]
#[serde(deny_unknown_fields)]
pub(in crate::http::routes) struct NewMembership {
    /// `owner`, `member` or `banned`; at least a member if left out. `banned` keeps the person out; in a direct
    /// room they are not heard.
    #[schema(pattern = "^(owner|member|banned)$")]
    role: Option<String>,
    /// A member who is an owner from then on, if the last owner becomes a member.
    successor: Option<String>,
}

/// A membership was changed, or was so already.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct ChangedMembership {
    /// The room.
    #[schema(value_type = String)]
    room_id: RoomId,
    /// The person.
    #[schema(value_type = String)]
    user_id: UserId,
    /// `applied`, or `unchanged` if nothing was written.
    #[schema(example = "applied")]
    status: &'static str,
    /// The place of the change.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Somebody who is in a room.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct ShownMember {
    /// The person.
    #[schema(value_type = String)]
    user_id: UserId,
    /// The name to show. It is left out for whoever has shown no token here yet.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    user_name: Option<UserName>,
    /// `owner` or `member`.
    #[schema(example = "member")]
    role: &'static str,
}

type Ids = Result<Path<(String, String)>, PathRejection>;

/// Lists who is in a room.
#[utoipa::path(
    get, path = "/rooms/{room_id}/members", operation_id = "getMembers", tag = "rooms",
    summary = "Retrieve the members of a room",
    description = "Returns a page of those who are in a room, with the names that their tokens said last, in the order of their ids. Only members see it.",
    security(("bearerAuth" = [])),
    params(
        ("room_id" = String, Path, description = "The room."),
        ("after" = Option<String>, Query, description = "Only members behind this one, by id."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "At most so many; 50 if left out."),
    ),
    responses(
        (status = 200, description = "The members.", body = [ShownMember], headers(("Link" = String, description = "`rel=\"next\"`: the next page, if there is one."))),
        (status = 400, description = "Invalid parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only members see it.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The members cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
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
    if !access.may_read() {
        return Err(Refusal::UNKNOWN_ROOM.into());
    }
    if !access.is_member() {
        return Err(Refusal::from(SendError::Room(Refused::NotAllowed)).into());
    }
    let reader = service.reads.admit(person)?;
    let members = Members::of(&reader).page(&room, after.as_ref(), limit).await?;
    // Nobody is told more than what this replica has read.
    if let Some(newest) = members.iter().map(|member| member.since).max() {
        let reached = service.hub.reached(service.partitioner.of(&room), newest.next());
        timeout(LONGEST_WAIT, reached).await.map_err(|_| Problem::behind())?;
    }
    let next = members.last().filter(|_| members.len() == usize::from(limit));
    let next =
        next.map(|last| next_page(&format!("/v1/rooms/{room}/members"), &last.user_id, limit));
    let mut response = Json(with_names(&reader, members).await?).into_response();
    if let Some(next) = next {
        response.headers_mut().insert(LINK, header::value(&next));
    }
    Ok(response)
}

/// Members as they are shown, in their order: one more read by ids, of no more people than are listed.
async fn with_names(
    reader: &Reader<'_>,
    members: Vec<Member>,
) -> Result<Vec<ShownMember>, ReadError> {
    let ids: Vec<UserId> = members.iter().map(|member| member.user_id.clone()).collect();
    let people = Directory::of(reader).by_id(&ids).await?;
    let mut names: HashMap<_, _> =
        people.into_iter().map(|person| (person.id, person.name)).collect();
    let shown = members.into_iter().filter_map(|Member { user_id, standing, .. }| {
        let user_name = names.remove(&user_id);
        Some(ShownMember { user_id, user_name, role: role(standing)? })
    });
    Ok(shown.collect())
}

/// Leads to the page behind somebody.
pub(super) fn next_page(path: &str, after: &UserId, limit: u16) -> String {
    let after: String = form_urlencoded::byte_serialize(after.as_str().as_bytes()).collect();
    format!("<{path}?after={after}&limit={limit}>; rel=\"next\"")
}

pub(super) fn page(query: &str) -> Result<(Option<UserId>, u16), Problem> {
    let (mut after, mut limit) = (None, LIMIT_DEFAULT);
    once_each(query, |name, value| {
        match name {
            "after" => {
                let none = |_| Problem::invalid_parameter("after", "this is not a user id");
                after = Some(UserId::parse(value).map_err(none)?);
            }
            "limit" => limit = parse_limit(value, LIMIT_MAX)?,
            unknown => return Err(Problem::unknown_parameter(unknown)),
        }
        Ok(())
    })?;
    Ok((after, limit))
}

/// Joins, invites, bans, or gives a role.
#[utoipa::path(
    put, path = "/rooms/{room_id}/members/{user_id}", operation_id = "putMember", tag = "rooms",
    summary = "Join a room, invite, ban, or give a role",
    description = "With the caller's own id: joins a public room, or steps down. With another's: invites, and for owners gives a role or bans. In a direct room: hears nothing of the other.",
    security(("bearerAuth" = [])),
    params(
        ("room_id" = String, Path, description = "The room."),
        ("user_id" = String, Path, description = "The person."),
    ),
    request_body(content = inline(NewMembership), content_type = "application/json"),
    responses(
        (status = 200, description = "It is so.", body = ChangedMembership),
        (status = 202, description = "It is enqueued, and this replica has not read it in time.", body = EnqueuedChange),
        (status = 400, description = "Invalid request body.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only others may: members or owners.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room, or that person is not in it.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The room is archived, full or a direct one, the person is banned, there is no such successor, or others changed the room at the same time.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not application/json, or is compressed.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the room cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn put(
    State(service): State<Arc<Service>>,
    caller: Caller,
    ids: Ids,
    JsonRequest { mut fields, .. }: JsonRequest,
) -> Result<Response, Problem> {
    let (room, person) = parse(ids)?;
    fields.only(&["role", "successor"])?;
    let to_be = fields.optional_text("role")?.as_deref().map(to_be).transpose()?;
    let successor = fields.optional_text("successor")?;
    let successor = successor.map(|successor| {
        let wrong = FieldError::WrongType { field: "successor", expected: "a user id" };
        UserId::parse(&successor).map_err(|_| wrong)
    });
    let successor = successor.transpose()?;
    let wish = RoomWish::Put { person: person.clone(), to_be, successor };
    change(&service, &caller, room, person, &wish).await
}

/// Leaves, removes, or lets somebody come again.
#[utoipa::path(
    delete, path = "/rooms/{room_id}/members/{user_id}", operation_id = "deleteMember", tag = "rooms",
    summary = "Leave a room, remove somebody, or end a ban",
    description = "With the caller's own id: leaves. With another's, for owners: removes who is in the room, or ends a ban. In a direct room: hears the other again. A last owner names a successor, or the room is archived.",
    security(("bearerAuth" = [])),
    params(
        ("room_id" = String, Path, description = "The room."),
        ("user_id" = String, Path, description = "The person."),
        ("successor" = Option<String>, Query, description = "A member who is an owner from then on, if the caller is one and leaves."),
    ),
    responses(
        (status = 200, description = "It is so.", body = ChangedMembership),
        (status = 202, description = "It is enqueued, and this replica has not read it in time.", body = EnqueuedChange),
        (status = 400, description = "Invalid parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only owners may.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The room is archived or a direct one, there is no such successor, or others changed the room at the same time.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the room cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn end(
    State(service): State<Arc<Service>>,
    caller: Caller,
    ids: Ids,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (room, person) = parse(ids)?;
    let mut successor = None;
    once_each(query.as_deref().unwrap_or_default(), |name, value| match name {
        "successor" => {
            let parsed = UserId::parse(value);
            let none = |_| Problem::invalid_parameter("successor", "this is not a user id");
            successor = Some(parsed.map_err(none)?);
            Ok(())
        }
        unknown => Err(Problem::unknown_parameter(unknown)),
    })?;
    let wish = RoomWish::End { person: person.clone(), successor };
    change(&service, &caller, room, person, &wish).await
}

async fn change(
    service: &Service,
    caller: &Caller,
    room_id: RoomId,
    user_id: UserId,
    wish: &RoomWish,
) -> Result<Response, Problem> {
    let settled = service.ingest.propose(&caller.author, &room_id, wish).await;
    let (status, cursor) = match settled.map_err(Refusal::from)? {
        Settled::Applied(cursor) => ("applied", Some(cursor)),
        Settled::Already => ("unchanged", None),
        Settled::Enqueued(message_id) => return Ok(enqueued(message_id, room_id)),
    };
    let body = ChangedMembership { room_id, user_id, status, cursor };
    Ok((StatusCode::OK, Json(body)).into_response())
}

fn parse(ids: Ids) -> Result<(RoomId, UserId), Problem> {
    let (room, person) = ids.ok().map(|Path(ids)| ids).unzip();
    Ok((room_id(room)?, user_id(person)?))
}

fn to_be(role: &str) -> Result<ToBe, FieldError> {
    match role {
        "owner" => Ok(ToBe::In(Role::Owner)),
        "member" => Ok(ToBe::In(Role::Member)),
        "banned" => Ok(ToBe::Banned),
        _ => {
            let expected = "\"owner\", \"member\" or \"banned\"";
            Err(FieldError::WrongType { field: "role", expected })
        }
    }
}
