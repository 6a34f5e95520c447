//! What comes in a request's body: a form, or a JSON object.

use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::Request;
use axum::http::header;
use serde::de::DeserializeOwned;
use tokio::time::timeout;

use super::fields::Fields;

/// The largest body that is read. The longest password is 3 KiB as a form, and so is a name.
const MAX_BYTES: usize = 16 * 1024;

/// How long a body may take to come.
const LONGEST: Duration = Duration::from_secs(10);

/// Why a body is not understood.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BadBody {
    /// Of another kind than the route takes.
    MediaType,
    /// More than 16 KiB.
    TooLarge,
    /// It did not come in 10 s.
    Slow,
    /// It is not what its kind says, or has other fields than there are.
    Malformed,
}

/// The fields of a form.
pub(super) struct Form(Fields);

impl Form {
    /// Reads a form with exactly these fields, each once.
    pub(super) async fn read(request: Request, names: &[&str]) -> Result<Self, BadBody> {
        let bytes = read(request, "application/x-www-form-urlencoded").await?;
        let fields = Fields::parse(&bytes, names).map_err(|_| BadBody::Malformed)?;
        if fields.count() == names.len() { Ok(Self(fields)) } else { Err(BadBody::Malformed) }
    }

    /// The field with this name.
    pub(super) fn field(&self, name: &str) -> &str {
        self.0.get(name).unwrap_or_default()
    }

    /// The same, moved out of the form.
    pub(super) fn take(&mut self, name: &str) -> String {
        self.0.take(name).unwrap_or_default()
    }
}

/// Why a JSON object is not understood.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct BadJson {
    pub(super) fault: BadBody,
    /// Which field is at fault, and how.
    pub(super) field: Option<String>,
}

impl From<BadBody> for BadJson {
    fn from(fault: BadBody) -> Self {
        Self { fault, field: None }
    }
}

/// The most characters of what is said of a field: its name was typed by whoever calls.
const MOST_SAID: usize = 200;

/// Reads a JSON object.
pub(super) async fn json<T: DeserializeOwned>(request: Request) -> Result<T, BadJson> {
    let bytes = read(request, "application/json").await?;
    // An array of values would be taken for the fields in their order.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return Err(BadBody::Malformed.into());
    }
    serde_json::from_slice(&bytes)
        .map_err(|error| BadJson { fault: BadBody::Malformed, field: field(&error) })
}

/// What an error says of a field. Nothing that repeats a value: it may be a password.
fn field(error: &serde_json::Error) -> Option<String> {
    let said = error.to_string();
    let names_one = ["unknown field `", "missing field `", "duplicate field `"]
        .iter()
        .any(|start| said.starts_with(start));
    let said = said.rsplit_once(" at line ").map_or(said.as_str(), |(said, _)| said);
    names_one.then(|| said.chars().filter(|c| !c.is_control()).take(MOST_SAID).collect())
}

async fn read(request: Request, media_type: &str) -> Result<Bytes, BadBody> {
    let said = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = said.and_then(|said| said.split(';').next()).unwrap_or_default().trim();
    let is_packed = request.headers().contains_key(header::CONTENT_ENCODING);
    if is_packed || !essence.eq_ignore_ascii_case(media_type) {
        return Err(BadBody::MediaType);
    }
    let bytes = timeout(LONGEST, to_bytes(request.into_body(), MAX_BYTES)).await;
    bytes.map_err(|_| BadBody::Slow)?.map_err(|_| BadBody::TooLarge)
}
