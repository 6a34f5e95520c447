//! What several calls about rooms show.

use axum::Json;
use axum::response::{IntoResponse as _, Response};
use http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::message::{MessageId, RoomId, Standing};

/// Something stands in the log, and it was not read in time whether it counts.
#[derive(Serialize, ToSchema)]
pub(in crate::http::routes) struct EnqueuedChange {
    /// The id of its record.
    #[schema(value_type = String)]
    message_id: MessageId,
    /// Always `enqueued`.
    #[schema(example = "enqueued")]
    status: &'static str,
    /// The room.
    #[schema(value_type = String)]
    room_id: RoomId,
}

pub(super) fn enqueued(message_id: MessageId, room_id: RoomId) -> Response {
    let body = EnqueuedChange { message_id, status: "enqueued", room_id };
    (StatusCode::ACCEPTED, Json(body)).into_response()
}

/// What somebody who is in a room is there.
pub(super) fn role(standing: Standing) -> Option<&'static str> {
    match standing {
        Standing::Owner => Some("owner"),
        Standing::Member | Standing::Blocked => Some("member"),
        Standing::Left | Standing::Banned => None,
    }
}
