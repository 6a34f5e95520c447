//! What is said, where it stands in the log, and how outside text becomes either.
//!
//! Values of these types are made by parsing only, so one that exists is valid.

mod cursor;
mod decoded;
mod draft;
mod envelope;
mod fields;
mod idempotency;
mod text;

pub use cursor::{Cursor, Partition, Position};
pub use decoded::{Decoded, Head, Newer};
pub(crate) use decoded::{ReadValue, read};
pub use draft::{Draft, DraftError, RawDraft};
pub use envelope::{Author, Body, Envelope, Event, Kind, MessageId};
pub use fields::{FieldError, Fields};
pub use idempotency::{BodyHash, IdempotencyKey};
pub use text::{Content, ContentError, RoomId, UserId, UserName};

/// Text that is not a valid value of the named kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {0}")]
pub struct Invalid(pub &'static str);
