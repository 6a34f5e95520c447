//! What is said, where it stands in the log, and how outside text becomes either.
//!
//! Values of these types are made by parsing only, so one that exists is valid.

mod change;
mod cursor;
mod decoded;
mod draft;
mod emoji;
mod envelope;
mod fields;
mod id;
mod idempotency;
mod invalid;
mod kind;
mod marker;
mod proposal;
mod proposal_record;
mod text;

pub use change::{Act, Change, Target};
pub use cursor::{Cursor, Partition, Position};
pub use decoded::{Decoded, Head, Newer};
pub(crate) use decoded::{ReadValue, read};
pub use draft::{Draft, DraftError, RawDraft};
pub use emoji::Emoji;
pub use envelope::{Author, Body, Envelope, Event};
pub use fields::{FieldError, Fields};
pub use id::MessageId;
pub(crate) use idempotency::length_prefixed;
pub use idempotency::{BodyHash, IdempotencyKey};
pub use invalid::Invalid;
pub use kind::Kind;
pub use marker::{DecodedMarker, Marker, MarkerError, NewMarker};
pub use proposal::{
    Ended, MemberAct, MemberChange, On, Proposal, Proposed, RoomChange, Settings, Standing,
    Visibility,
};
pub use text::{Content, ContentError, RoomId, RoomName, UserId, UserName};
