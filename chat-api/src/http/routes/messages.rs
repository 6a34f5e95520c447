//! `/v1/messages`.

pub(super) mod changes;
mod page;
mod query;
mod shown;
pub(super) mod versions;

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse, Response};
use chrono::{DateTime, Utc};
use http::{HeaderMap, StatusCode};
use serde::Serialize;
use utoipa::ToSchema;

use crate::archive::{History, Reader, Span, SpanEnd};
use crate::auth::Caller;
use crate::http::body::JsonRequest;
use crate::http::header;
use crate::http::problem::Problem;
use crate::ingest::Accepted;
use crate::lookup::Lookup;
use crate::message::{
    Cursor, Draft, Fields, IdempotencyKey, MessageId, Partition, Position, RawDraft, RoomId,
};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::visitor::Visitor;
use page::HistoryAnswer;
use query::{Bound, HistoryQuery, MessageQuery};
pub(super) use shown::Message;

/// A message to be sent.
#[derive(ToSchema)]
#[expect(
    dead_code,
    reason = "describes the body; it is read field by field, so that complaints name the field"
)]
#[serde(deny_unknown_fields)]
pub(super) struct NewMessage {
    /// The message text: 1 to 16384 bytes of UTF-8 with at least one visible character, without U+0000.
    #[schema(min_length = 1, max_length = 16384)]
    content: String,
    /// The room; the public room `lobby` if left out.
    #[schema(pattern = "^[a-z0-9_-]{1,64}$")]
    room_id: Option<String>,
    /// The ID of the user sending the message. If given, it must be the token's subject.
    user_id: Option<String>,
    /// The message of the same room that this one answers.
    #[schema(format = "uuid")]
    reply_to: Option<String>,
}

/// A message was accepted and enqueued.
#[derive(Serialize, ToSchema)]
pub(super) struct Enqueued {
    /// Unique identifier for the message.
    #[schema(value_type = String)]
    message_id: MessageId,
    /// Always `enqueued`: it stands in the log; delivery and storage follow.
    #[schema(example = "enqueued")]
    status: &'static str,
    /// The room it was sent to.
    #[schema(value_type = String)]
    room_id: RoomId,
    /// Its place in the room's order; left out when the log did not tell it.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>)]
    cursor: Option<Cursor>,
}

/// Sends a message. The answer comes after the log's acknowledgement. With a key it may be sent again
/// until it is answered, and is said once.
#[utoipa::path(
    post, path = "/messages", operation_id = "sendMessage", tag = "messages",
    summary = "Send a new message",
    description = "Sends a new chat message to the system.",
    security(("bearerAuth" = [])),
    params((
        "Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[!-~]+$",
        description = "The sender's own name for this message: sent again under it, it is said once.",
    )),
    request_body(content = inline(NewMessage), content_type = "application/json"),
    responses(
        (status = 202, description = "Message accepted and enqueued (persistence and broadcast asynchronous).", body = inline(Enqueued)),
        (status = 400, description = "Invalid request body or key.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token.", body = Problem, content_type = "application/problem+json"),
        (status = 403, description = "`user_id` is not the token's subject.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room, or no such message to answer.", body = Problem, content_type = "application/problem+json"),
        (status = 408, description = "The body did not come in time.", body = Problem, content_type = "application/problem+json"),
        (status = 409, description = "The key was used for another message.", body = Problem, content_type = "application/problem+json"),
        (status = 413, description = "Body or content too large.", body = Problem, content_type = "application/problem+json"),
        (status = 415, description = "The body is not application/json, or is compressed.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many messages of this person in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 500, description = "The log refuses the message.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The log did not acknowledge in time, or takes nothing at the moment; or `reply_to` is not open yet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn send(
    State(service): State<Arc<Service>>,
    caller: Caller,
    JsonRequest { headers, fields }: JsonRequest,
) -> Result<impl IntoResponse, Problem> {
    let draft = draft(fields, &caller, header::key(&headers)?)?;
    let room_id = draft.room_id.clone();
    let accepted = service.ingest.send(&caller.author, draft).await;
    let Accepted { message_id, cursor } = accepted.map_err(Refusal::from)?;
    Ok((StatusCode::ACCEPTED, Json(Enqueued { message_id, status: "enqueued", room_id, cursor })))
}

fn draft(
    mut fields: Fields,
    caller: &Caller,
    key: Option<IdempotencyKey>,
) -> Result<Draft, Problem> {
    fields.only(&["content", "room_id", "user_id", "reply_to"])?;
    let user_id = fields.optional_text("user_id")?;
    if user_id.is_some_and(|user_id| user_id != caller.author.user_id.as_str()) {
        return Err(Problem::foreign_user());
    }
    let room_id = fields.optional_text("room_id")?;
    let (content, reply_to) = (fields.text("content"), fields.optional_text("reply_to"));
    let raw = RawDraft { room_id, content, reply_to, key: Ok(key) };
    Ok(Draft::parse(raw).map_err(Refusal::from)?)
}

/// Reads a room's messages, oldest first within the page.
#[utoipa::path(
    get, path = "/messages", operation_id = "getMessages", tag = "messages",
    summary = "Retrieve message history",
    description = "Returns a page of the messages in a room's history: the newest ones, the newest ones before a cursor, or the oldest ones after a cursor.",
    security(("bearerAuth" = []), ()),
    params(
        ("room_id" = Option<String>, Query, pattern = "^[a-z0-9_-]{1,64}$", description = "The room; `lobby` if left out."),
        ("before" = Option<String>, Query, pattern = "^([A-Za-z0-9_-]{16}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2}))$", description = "Only messages before this cursor or message (by its id), or before the first message of this time (RFC 3339)."),
        ("after" = Option<String>, Query, pattern = "^([A-Za-z0-9_-]{16}|[0-9A-Fa-f]{8}(-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}|[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9:.]+([Zz]|[+-][0-9]{2}:[0-9]{2}))$", description = "Only messages after this cursor or message (by its id), or from the first message of this time (RFC 3339) on; oldest first."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "At most so many; 50 if left out. A page has fewer if it would be larger than 64 KiB: `Link` tells whether there are more."),
        ("X-After" = Option<String>, Header, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor of the room: waits until the history includes it."),
    ),
    responses(
        (status = 200, description = "A list of messages, of 64 KiB at most unless it is one message.", body = [Message], headers(
            ("Link" = String, description = "`rel=\"next\"`: the page that follows in the direction of reading (RFC 8288). There is none on the last one, however many messages it has."),
            ("X-Cursor" = String, description = "Up to where this history goes: subscribe from here."),
        )),
        (status = 400, description = "Invalid parameter or header.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token; where guests are let in, their reads of public rooms need none.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such room, or no such message to answer.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person, or of the guests of this network, in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The history cannot be read at the moment, or does not include `X-After` yet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn list(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let query = HistoryQuery::parse(query.as_deref().unwrap_or_default())?;
    if !service.rooms.visitor_access(&query.room_id, &visitor).await?.may_read() {
        return Err(Refusal::UNKNOWN_ROOM.into());
    }
    let partition = service.partitioner.of(&query.room_id);
    let after = header::after(&headers)?;
    if after.is_some_and(|cursor| cursor.partition != partition) {
        return Err(Problem::foreign_x_after());
    }
    let reader = service.reads.admit_visitor(&visitor)?;
    if let Some(cursor) = after {
        lookup(&service, &reader).caught_up(cursor).await?;
    }
    // What is shown ends where the access is known of: whoever was removed there may have been in it when this
    // was first asked.
    let head = service.hub.head(partition);
    if !service.rooms.visitor_access(&query.room_id, &visitor).await?.may_read() {
        return Err(Refusal::UNKNOWN_ROOM.into());
    }
    let now = (service.sources.now)();
    let span = span(&reader, partition, &query, now).await?;
    // First: what the archive takes in meanwhile can only be more. What is above this replica's head its
    // sockets do not know yet.
    let progress = reader.progress(partition).await?;
    let complete = progress.min(head.previous());
    let shown = if query.room_id.as_str() == RoomId::LOBBY { span } else { span.upto(head) };
    let page = History::of(&reader).page(&query.room_id, shown).await?;
    Ok(HistoryAnswer { room: &query.room_id, partition, span, complete }.answer(page))
}

async fn span(
    reader: &Reader<'_>,
    partition: Partition,
    query: &HistoryQuery,
    now: DateTime<Utc>,
) -> Result<Span, Problem> {
    let position = async |name, bound| match bound {
        None => Ok(None),
        Some(Bound::Cursor(cursor)) if cursor.partition != partition => {
            Err(Problem::invalid_parameter(name, "the cursor is of another room"))
        }
        Some(Bound::Cursor(cursor)) => Ok(Some(cursor.position)),
        Some(Bound::Message(id)) => {
            let found = History::of(reader).find(Some(&query.room_id), id).await?;
            let found = found.ok_or_else(|| {
                Problem::invalid_parameter(name, "there is no such message in this room")
            });
            Ok(Some(found?.event.position))
        }
        Some(Bound::Time(time)) => {
            let first = History::of(reader).since(&query.room_id, time, now).await?;
            // Nothing is as late: everything lies before, and nothing after.
            Ok(Some(first.unwrap_or(Position::AFTER_ALL)))
        }
    };
    let before = position("before", query.before).await?;
    let mut after = position("after", query.after).await?;
    if let Some(Bound::Time(_)) = query.after {
        after = after.map(Position::previous);
    }
    let from = if after.is_some() { SpanEnd::Oldest } else { SpanEnd::Newest };
    Ok(Span { after, before, from, limit: query.limit })
}

/// Reads one message: what became of a send whose outcome is unknown.
#[utoipa::path(
    get, path = "/messages/{id}", operation_id = "getMessage", tag = "messages",
    summary = "Retrieve one message",
    description = "Returns one message by its id. It is waited for if it stands in the log and is not stored yet.",
    security(("bearerAuth" = []), ()),
    params(
        ("id" = String, Path, description = "The id of the message."),
        ("room_id" = Option<String>, Query, pattern = "^[a-z0-9_-]{1,64}$", description = "The room of the message: it is found faster."),
        ("X-After" = Option<String>, Header, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor of the message's room: waits until the history includes it."),
    ),
    responses(
        (status = 200, description = "The message.", body = Message),
        (status = 400, description = "Invalid parameter or header.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token; where guests are let in, their reads of public rooms need none.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such message.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person, or of the guests of this network, in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The history cannot be read at the moment, or does not include the message or `X-After` yet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(super) async fn one(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    headers: HeaderMap,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Json<Message>, Problem> {
    // What is not an id is not a message's either.
    let id = id.ok().and_then(|Path(id)| MessageId::parse(&id).ok());
    let id = id.ok_or_else(Problem::unknown_message)?;
    let MessageQuery { room } = MessageQuery::parse(query.as_deref().unwrap_or_default())?;
    let after = header::after(&headers)?;
    if after.is_some_and(|cursor| cursor.partition.index() >= service.partitioner.count()) {
        return Err(Problem::foreign_x_after());
    }
    let reader = service.reads.admit_visitor(&visitor)?;
    if let Some(cursor) = after {
        lookup(&service, &reader).caught_up(cursor).await?;
    }
    let found = lookup(&service, &reader).find(room.as_ref(), id).await?;
    let found = found.ok_or_else(Problem::unknown_message)?;
    let event = &found.event;
    if !service.rooms.access_behind(event, &visitor).await?.may_read() {
        return Err(Problem::unknown_message());
    }
    if after.is_some_and(|cursor| cursor.partition != event.partition) {
        return Err(Problem::foreign_x_after());
    }
    Ok(Json(found.into()))
}

/// Looks for messages by the admission of this reader.
fn lookup<'a>(service: &'a Service, reader: &'a Reader<'a>) -> Lookup<'a> {
    Lookup { hub: &service.hub, partitioner: service.partitioner, reader }
}
