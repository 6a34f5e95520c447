//! A page of the history as an answer.

use axum::response::{IntoResponse as _, Response};
use http::header::{CONTENT_TYPE, LINK};
use http::{HeaderMap, HeaderValue};

use super::shown::Message;
use crate::archive::{PAGE_BYTES, Page, Span, SpanEnd, StoredMessage};
use crate::http::header;
use crate::message::{Cursor, Partition, Position, RoomId};

/// The answer to a request for history, but for its page: what was asked, and up to where it is known.
pub(super) struct HistoryAnswer<'a> {
    pub(super) room: &'a RoomId,
    pub(super) partition: Partition,
    pub(super) span: Span,
    /// Up to where the history was complete when it was read.
    pub(super) complete: Position,
}

impl HistoryAnswer<'_> {
    /// The answer: as many messages of the page as fit into its bytes, and where to read on.
    pub(super) fn answer(&self, page: Page<StoredMessage>) -> Response {
        let (body, more_behind) = fit(page, self.span.from);
        let mut response = body.into_response();
        let headers: &mut HeaderMap = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let complete = self.cursor(self.complete).to_string();
        headers.insert(header::X_CURSOR, header::value(&complete));
        if let Some(end) = more_behind {
            headers.insert(LINK, header::value(&self.link(end)));
        }
        response
    }

    /// RFC 8288: the page behind that place in the direction of reading.
    fn link(&self, end: Position) -> String {
        let (room, end) = (self.room, self.cursor(end));
        let Span { before, from, limit, .. } = self.span;
        let bounds = match from {
            SpanEnd::Newest => format!("before={end}"),
            SpanEnd::Oldest => {
                let before = before.map(|before| format!("&before={}", self.cursor(before)));
                format!("after={end}{}", before.unwrap_or_default())
            }
        };
        format!("</v1/messages?room_id={room}&{bounds}&limit={limit}>; rel=\"next\"")
    }

    fn cursor(&self, position: Position) -> Cursor {
        Cursor { partition: self.partition, position }
    }
}

/// A JSON array of the messages of a page, of no more than [`PAGE_BYTES`] unless the first one is larger
/// by itself, and the place behind which there may be more. Documents were counted before: JSON may
/// write a byte as six.
fn fit(page: Page<StoredMessage>, from: SpanEnd) -> (Vec<u8>, Option<Position>) {
    let Page { mut items, mut more_behind } = page;
    if from == SpanEnd::Newest {
        items.reverse();
    }
    // Two brackets, and one comma less than there are messages.
    let (mut messages, mut bytes, mut end) = (Vec::with_capacity(items.len()), 1, None);
    for stored in items {
        let position = stored.event.position;
        let message = encode(stored);
        bytes += message.len() + 1;
        if !messages.is_empty() && bytes > PAGE_BYTES {
            more_behind = end;
            break;
        }
        end = Some(position);
        messages.push(message);
    }
    if from == SpanEnd::Newest {
        messages.reverse();
    }
    let mut body = Vec::with_capacity(bytes);
    body.push(b'[');
    body.extend_from_slice(&messages.join(&b','));
    body.push(b']');
    (body, more_behind)
}

fn encode(stored: StoredMessage) -> Vec<u8> {
    serde_json::to_vec(&Message::from(stored)).expect("a message is plain data with text keys")
}
