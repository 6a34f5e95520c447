//! `/v1/messages/{id}`: what people do to messages.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use super::query::MessageQuery;
use crate::auth::Caller;
use crate::http::body::JsonRequest;
use crate::http::header;
use crate::http::problem::Problem;
use crate::ingest::{Done, Named, Wish};
use crate::message::{Content, Cursor, DraftError, Emoji, MessageId, RoomId};
use crate::refusal::Refusal;
use crate::service::Service;

/// Another text of a message.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that complaints name the field"
)]
#[serde(deny_unknown_fields)]
pub(in crate::http::routes) struct NewContent {
    /// The message text: 1 to 16384 bytes of UTF-8 with at least one visible character, without U+0000.
    #[schema(min_length = 1, max_length = 16384)]
    content: String,
}

/// A message was changed, or was so already.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct Changed {
    /// The message.
    #[schema(value_type = String)]
    message_id: MessageId,
    /// `enqueued`: the change stands in the log; delivery and storage follow. `unchanged`: the message was so
    /// already, and nothing was written.
    #[schema(example = "enqueued")]
    status: &'static str,
    /// The room of the message.
    #[schema(value_type = String)]
    room_id: RoomId,
    /// The place of the change in the room's order; left out when the log did not tell it. Of a message that
    /// was so already: the place of what was last done to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

type Id = Result<Path<String>, PathRejection>;

/// Gives a message of one's own another text.
#[utoipa::path(
    patch, path = "/messages/{id}", operation_id = "editMessage", tag = "messages",
    summary = "Edit a message",
    description = "Gives a message of one's own another text. Its history keeps the texts before.",
    security(("bearerAuth" = [])),
    params(
        ("id" = String, Path, description = "The id of the message."),
        ("room_id" = Option<String>, Query, pattern = "^[a-z0-9_-]{1,64}$", description = "The room of the message: it is found faster."),
        ("X-After" = Option<String>, Header, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor of the message's room: the call is judged by everything up to it."),
    ),
    request_body(content = inline(NewContent), content_type = "application/json"),
    responses(
        (status = 200, description = "The message has this text already.", body = inline(Changed)),
        (status = 202, description = "Accepted and enqueued.", body = inline(Changed)),
        (status = 400, description = "Invalid request body, parameter or header.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The message is somebody else's.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such message.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The message was deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body or content too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not application/json, or is compressed.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the message cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn edit(
    State(service): State<Arc<Service>>,
    caller: Caller,
    id: Id,
    RawQuery(query): RawQuery,
    JsonRequest { headers, mut fields }: JsonRequest,
) -> Result<Response, Problem> {
    let named = named(id.ok().map(|Path(id)| id), query.as_deref(), &headers)?;
    fields.only(&["content"])?;
    let content = Content::to_be_said(&fields.text("content")?);
    let content = content.map_err(|error| Refusal::from(DraftError::from(error)))?;
    change(&service, &caller, named, Wish::Edit(content)).await
}

/// Deletes a message of one's own.
#[utoipa::path(
    delete, path = "/messages/{id}", operation_id = "deleteMessage", tag = "messages",
    summary = "Delete a message",
    description = "Deletes a message of one's own, for good: its text, the texts before, and its reactions.",
    security(("bearerAuth" = [])),
    params(
        ("id" = String, Path, description = "The id of the message."),
        ("room_id" = Option<String>, Query, pattern = "^[a-z0-9_-]{1,64}$", description = "The room of the message: it is found faster."),
        ("X-After" = Option<String>, Header, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor of the message's room: the call is judged by everything up to it."),
    ),
    responses(
        (status = 200, description = "The message was deleted before.", body = inline(Changed)),
        (status = 202, description = "Accepted and enqueued.", body = inline(Changed)),
        (status = 400, description = "Invalid parameter or header.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "The message is somebody else's.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such message.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the message cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn delete(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    id: Id,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let named = named(id.ok().map(|Path(id)| id), query.as_deref(), &headers)?;
    change(&service, &caller, named, Wish::Delete).await
}

/// Reacts to a message.
#[utoipa::path(
    put, path = "/messages/{id}/reactions/{emoji}", operation_id = "react", tag = "messages",
    summary = "React to a message",
    description = "Reacts to a message with one emoji. A message bears 1,000 reactions, with 20 different emoji.",
    security(("bearerAuth" = [])),
    params(
        ("id" = String, Path, description = "The id of the message."),
        ("emoji" = String, Path, description = "One emoji (UTS #51), at most 48 bytes of UTF-8."),
        ("room_id" = Option<String>, Query, pattern = "^[a-z0-9_-]{1,64}$", description = "The room of the message: it is found faster."),
        ("X-After" = Option<String>, Header, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor of the message's room: the call is judged by everything up to it."),
    ),
    responses(
        (status = 200, description = "The reaction was there before.", body = inline(Changed)),
        (status = 202, description = "Accepted and enqueued.", body = inline(Changed)),
        (status = 400, description = "Not one emoji, invalid parameter or header.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such message.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The message bears no more reactions.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The message was deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the message cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn react(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (named, emoji) = reaction(path, query.as_deref(), &headers)?;
    change(&service, &caller, named, Wish::React { emoji, on: true }).await
}

/// Takes a reaction back.
#[utoipa::path(
    delete, path = "/messages/{id}/reactions/{emoji}", operation_id = "takeReactionBack", tag = "messages",
    summary = "Take a reaction back",
    description = "Takes one's own reaction with one emoji back.",
    security(("bearerAuth" = [])),
    params(
        ("id" = String, Path, description = "The id of the message."),
        ("emoji" = String, Path, description = "One emoji (UTS #51), at most 48 bytes of UTF-8."),
        ("room_id" = Option<String>, Query, pattern = "^[a-z0-9_-]{1,64}$", description = "The room of the message: it is found faster."),
        ("X-After" = Option<String>, Header, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor of the message's room: the call is judged by everything up to it."),
    ),
    responses(
        (status = 200, description = "There was no such reaction.", body = inline(Changed)),
        (status = 202, description = "Accepted and enqueued.", body = inline(Changed)),
        (status = 400, description = "Not one emoji, invalid parameter or header.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such message.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the message cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn take_back(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let (named, emoji) = reaction(path, query.as_deref(), &headers)?;
    change(&service, &caller, named, Wish::React { emoji, on: false }).await
}

/// Pins a message to its room.
#[utoipa::path(
    put, path = "/rooms/{room_id}/pins/{message_id}", operation_id = "pinMessage", tag = "rooms",
    summary = "Pin a message to its room",
    description = "Pins a message of a room that the caller is a member of.",
    security(("bearerAuth" = [])),
    params(
        ("room_id" = String, Path, description = "The room."),
        ("message_id" = String, Path, description = "The id of the message."),
        ("X-After" = Option<String>, Header, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor of the room: the call is judged by everything up to it."),
    ),
    responses(
        (status = 200, description = "It was pinned before.", body = inline(Changed)),
        (status = 202, description = "Accepted and enqueued.", body = inline(Changed)),
        (status = 400, description = "Invalid header.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only members may.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such message in this room.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The message was deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the message cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn pin(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    change(&service, &caller, pinned(path, &headers)?, Wish::Pin { on: true }).await
}

/// Takes a pin away.
#[utoipa::path(
    delete, path = "/rooms/{room_id}/pins/{message_id}", operation_id = "unpinMessage", tag = "rooms",
    summary = "Take a pin away",
    description = "Has a message of a room that the caller is a member of pinned no more.",
    security(("bearerAuth" = [])),
    params(
        ("room_id" = String, Path, description = "The room."),
        ("message_id" = String, Path, description = "The id of the message."),
        ("X-After" = Option<String>, Header, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor of the room: the call is judged by everything up to it."),
    ),
    responses(
        (status = 200, description = "It was not pinned.", body = inline(Changed)),
        (status = 202, description = "Accepted and enqueued.", body = inline(Changed)),
        (status = 400, description = "Invalid header.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "Only members may.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such message in this room.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The message was deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too much of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the change.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "Not open yet, not acknowledged in time, or the message cannot be read at the moment.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn unpin(
    State(service): State<Arc<Service>>,
    caller: Caller,
    headers: HeaderMap,
    path: Result<Path<(String, String)>, PathRejection>,
) -> Result<Response, Problem> {
    change(&service, &caller, pinned(path, &headers)?, Wish::Pin { on: false }).await
}

fn pinned(
    path: Result<Path<(String, String)>, PathRejection>,
    headers: &HeaderMap,
) -> Result<Named, Problem> {
    let (room, id) = path.ok().map(|Path(path)| path).unzip();
    let room = room.and_then(|room: String| RoomId::parse(&room).ok());
    let id = id.and_then(|id: String| MessageId::parse(&id).ok());
    let (Some(room), Some(id)) = (room, id) else { return Err(Problem::unknown_message()) };
    Ok(Named { id, room: Some(room), after: header::after(headers)? })
}

fn reaction(
    path: Result<Path<(String, String)>, PathRejection>,
    query: Option<&str>,
    headers: &HeaderMap,
) -> Result<(Named, Emoji), Problem> {
    let (id, emoji) = path.ok().map(|Path(path)| path).unzip();
    let named = named(id, query, headers)?;
    let emoji = emoji.and_then(|emoji| Emoji::parse(&emoji).ok());
    Ok((named, emoji.ok_or_else(Problem::invalid_emoji)?))
}

fn named(id: Option<String>, query: Option<&str>, headers: &HeaderMap) -> Result<Named, Problem> {
    // What is not an id is not a message's either.
    let id = id.and_then(|id| MessageId::parse(&id).ok()).ok_or_else(Problem::unknown_message)?;
    let MessageQuery { room } = MessageQuery::parse(query.unwrap_or_default())?;
    Ok(Named { id, room, after: header::after(headers)? })
}

async fn change(
    service: &Service,
    caller: &Caller,
    named: Named,
    wish: Wish,
) -> Result<Response, Problem> {
    let message_id = named.id;
    let done = service.ingest.change(&caller.author, named, wish).await.map_err(Refusal::from)?;
    let Done { room_id, cursor, is_new } = done;
    let (code, status) =
        if is_new { (StatusCode::ACCEPTED, "enqueued") } else { (StatusCode::OK, "unchanged") };
    Ok((code, Json(Changed { message_id, status, room_id, cursor })).into_response())
}
