//! Storing many events at once, and finding those that the server will never take.

use std::ops::Range;

use mongodb::bson::RawDocumentBuf;
use mongodb::error::{Error, ErrorKind};

use super::document;
use crate::archive::error::ArchiveError;
use crate::message::Event;

/// `E11000 duplicate key`: `_id` is the only unique index, so the message is held already.
const DUPLICATE_KEY: i32 = 11000;

/// What a server says about one document that it will never take. Anything else may pass, so the
/// batch is tried again. Servers name no codes in the answer to an insert.
const REFUSALS: [(i32, &str); 7] = [
    (2, "BadValue"),
    (9, "FailedToParse"),
    (14, "TypeMismatch"),
    (52, "DollarPrefixedFieldName"),
    (121, "DocumentValidationFailure"),
    (10334, "BSONObjectTooLarge"),
    (17280, "KeyTooLong"),
];

/// What a server says about a whole command because of a document in it. Few, because most codes for
/// a command blame the command.
const REFUSALS_OF_ALL: [(i32, &str); 2] = [(22, "InvalidBSON"), (10334, "BSONObjectTooLarge")];

/// Events in the form in which they are stored.
#[derive(Debug)]
pub struct Batch(Vec<RawDocumentBuf>);

impl Batch {
    /// The documents of these events, in their order.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        Self(events.into_iter().map(document::of_event).collect())
    }

    /// The number of events in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether the batch has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn part(&self, part: Range<usize>) -> &[RawDocumentBuf] {
        &self.0[part]
    }
}

/// What became of a batch: whatever is not refused is held.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// How many were not held before.
    pub fresh: usize,
    /// Those that the server will never take.
    pub refused: Vec<RefusedDocument>,
}

/// A document that the server will never take.
#[derive(Debug, PartialEq, Eq)]
pub struct RefusedDocument {
    /// Its number in the batch, from 0.
    pub index: usize,
    /// Why, without a word of what it holds.
    pub reason: String,
}

/// How one insert ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Inserted {
    /// Each document has an answer of its own.
    Each(Stored),
    /// None was looked at, because of one that the driver or the server does not take.
    None(String),
}

/// Inserts that many documents by parts, until each of those that spoil a whole insert is found.
pub(super) async fn divide<F>(
    length: usize,
    mut insert: impl FnMut(Range<usize>) -> F,
) -> Result<Stored, ArchiveError>
where
    F: Future<Output = Result<Inserted, ArchiveError>>,
{
    let mut all = Stored::default();
    let mut parts = Vec::new();
    parts.push(0..length);
    while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
        match insert(part.clone()).await? {
            Inserted::Each(Stored { fresh, refused }) => {
                all.fresh += fresh;
                let refused = refused.into_iter().map(|refusal| RefusedDocument {
                    index: part.start + refusal.index,
                    ..refusal
                });
                all.refused.extend(refused);
            }
            Inserted::None(reason) if part.len() == 1 => {
                all.refused.push(RefusedDocument { index: part.start, reason });
            }
            Inserted::None(_) => {
                let middle = part.start + part.len() / 2;
                parts.extend([middle..part.end, part.start..middle]);
            }
        }
    }
    Ok(all)
}

/// Sorts the failure of an unordered insert of that many documents.
pub(super) fn sort(error: Error, length: usize) -> Result<Inserted, ArchiveError> {
    let insert = match error.kind.as_ref() {
        ErrorKind::InsertMany(insert) => insert,
        ErrorKind::InvalidArgument { .. } | ErrorKind::Bson(_) => {
            return Ok(Inserted::None("MongoDB's driver cannot send the document".to_owned()));
        }
        ErrorKind::Command(answer) => {
            return match reason(&REFUSALS_OF_ALL, answer.code) {
                Some(reason) => Ok(Inserted::None(reason)),
                None => Err(error.into()),
            };
        }
        _ => return Err(error.into()),
    };
    // Not the error itself: the driver's text quotes documents.
    if let Some(concern) = &insert.write_concern_error {
        return Err(ArchiveError::Insert(concern.code));
    }
    let (mut held, mut refused) = (0, Vec::new());
    for failure in insert.write_errors.iter().flatten() {
        match reason(&REFUSALS, failure.code) {
            _ if failure.code == DUPLICATE_KEY => held += 1,
            Some(reason) => refused.push(RefusedDocument { index: failure.index, reason }),
            None => return Err(ArchiveError::Insert(failure.code)),
        }
    }
    let fresh = length.saturating_sub(held + refused.len());
    Ok(Inserted::Each(Stored { fresh, refused }))
}

fn reason(refusals: &[(i32, &str)], code: i32) -> Option<String> {
    let (_, name) = refusals.iter().find(|(known, _)| *known == code)?;
    Some(format!("MongoDB refuses the document: {name}"))
}

#[cfg(test)]
#[path = "batch_tests.rs"]
mod tests;
