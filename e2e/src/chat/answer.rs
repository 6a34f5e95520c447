//! What the API answers.

use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::Value;

/// What the API answered.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, or null when it is no JSON.
    pub body: Value,
}

/// A message that the log has acknowledged.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq)]
#[expect(missing_docs, reason = "the fields of the 202, described with the API")]
pub struct Accepted {
    pub message_id: String,
    pub status: String,
    pub room_id: String,
    pub cursor: Option<String>,
}
