//! `/v1/messages/{id}/history`: the texts that a message had.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, RawQuery, State};
use axum::response::{IntoResponse as _, Response};
use chrono::{DateTime, Utc};
use http::header::LINK;
use serde::Serialize;
use utoipa::ToSchema;

use super::query::VersionsQuery;
use crate::archive::{History, Span, SpanEnd};
use crate::http::header;
use crate::http::problem::Problem;
use crate::ingest::SendError;
use crate::lookup::Lookup;
use crate::message::{Cursor, Event, MessageId, RoomId};
use crate::refusal::Refusal;
use crate::service::Service;
use crate::visitor::Visitor;

/// A text that a message had, or has.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct Version {
    /// The text.
    content: String,
    /// When it was said.
    timestamp: DateTime<Utc>,
    /// The place of the event that said it in the room's order.
    cursor: String,
}

/// Lists the texts that a message had.
#[utoipa::path(
    get, path = "/messages/{id}/history", operation_id = "getMessageHistory", tag = "messages",
    summary = "Retrieve the history of one message",
    description = "Returns the texts that a message had, the first one first and its present one last. `Link` with `rel=\"next\"` leads to later ones.",
    security(("bearerAuth" = []), ()),
    params(
        ("id" = String, Path, description = "The id of the message."),
        ("room_id" = Option<String>, Query, pattern = "^[a-z0-9_-]{1,64}$", description = "The room of the message: it is found faster."),
        ("after" = Option<String>, Query, pattern = "^[A-Za-z0-9_-]{16}$", description = "A cursor: only texts after it."),
        ("limit" = Option<u16>, Query, minimum = 1, maximum = 200, description = "At most so many texts; 50 if left out."),
    ),
    responses(
        (status = 200, description = "The texts.", body = Vec<Version>, headers(("Link" = String, description = "The next page, if there is one."))),
        (status = 400, description = "Invalid parameter.", body = Problem, content_type = "application/problem+json"),
        (status = 401, description = "Missing or invalid token; where guests are let in, their reads of public rooms need none.", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such message.", body = Problem, content_type = "application/problem+json"),
        (status = 410, description = "The message was deleted.", body = Problem, content_type = "application/problem+json"),
        (status = 429, description = "Too many reads of this person, or of the guests of this network, in a short time.", body = Problem, content_type = "application/problem+json"),
        (status = 503, description = "The history cannot be read at the moment, or does not include the message yet.", body = Problem, content_type = "application/problem+json"),
    ),
)]
pub(in crate::http::routes) async fn versions(
    State(service): State<Arc<Service>>,
    visitor: Visitor,
    id: Result<Path<String>, PathRejection>,
    RawQuery(query): RawQuery,
) -> Result<Response, Problem> {
    let id = id.ok().and_then(|Path(id)| MessageId::parse(&id).ok());
    let id = id.ok_or_else(Problem::unknown_message)?;
    let VersionsQuery { room, after, limit } =
        VersionsQuery::parse(query.as_deref().unwrap_or_default())?;
    let reader = service.reads.admit_visitor(&visitor)?;
    let (hub, partitioner) = (&service.hub, service.partitioner);
    let lookup = Lookup { hub, partitioner, reader: &reader };
    let stored = lookup.find(room.as_ref(), id).await?.ok_or_else(Problem::unknown_message)?;
    let room = stored.event.envelope.room_id.clone();
    // What is shown ends where the access is known of.
    let head = hub.head(stored.event.partition);
    if !service.rooms.access_behind(&stored.event, &visitor).await?.may_read() {
        return Err(Problem::unknown_message());
    }
    if stored.deleted_at.is_some() {
        return Err(Refusal::from(SendError::Deleted).into());
    }
    let span = Span {
        after: after.map(|cursor| cursor.position),
        before: None,
        from: SpanEnd::Oldest,
        limit,
    };
    let span = if room.as_str() == RoomId::LOBBY { span } else { span.upto(head) };
    let edits = History::of(&reader).edits(&room, id, span).await?;
    let said = stored.as_said();
    let is_first = after.is_none_or(|after| after.position < said.position);
    let mut texts: Vec<Version> = is_first.then(|| version(&said)).flatten().into_iter().collect();
    texts.extend(edits.items.iter().filter_map(version));
    let mut response = Json(texts).into_response();
    if let Some(position) = edits.more_behind {
        let after = Cursor { partition: said.partition, position };
        let link =
            format!("</v1/messages/{id}/history?room_id={room}&after={after}&limit={limit}>");
        response.headers_mut().insert(LINK, header::value(&format!("{link}; rel=\"next\"")));
    }
    Ok(response)
}

/// The text of an event. One of a message that was deleted meanwhile has none.
fn version(event: &Event) -> Option<Version> {
    let content = event.envelope.body.content();
    Some(Version {
        content: content?.clone().into(),
        timestamp: event.envelope.timestamp,
        cursor: event.cursor().to_string(),
    })
}
