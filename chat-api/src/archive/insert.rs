//! Inserting many documents at once, and finding those that the server will never take.

use std::ops::Range;

use mongodb::Collection;
use mongodb::bson::{Document, RawDocumentBuf};
use mongodb::error::{Error, ErrorKind};
use mongodb::options::InsertManyOptions;

use super::error::ArchiveError;
use super::mongo::WRITE_TIMEOUT;

/// `E11000 duplicate key`: `_id` is the only unique index, so the document is held already.
const DUPLICATE_KEY: i32 = 11000;

/// What a server says about one document that it will never take. Anything else may pass, so the
/// batch is tried again. Servers name no codes in the answer to an insert.
const REFUSALS: [(i32, &str); 8] = [
    (2, "BadValue"),
    (9, "FailedToParse"),
    (14, "TypeMismatch"),
    (52, "DollarPrefixedFieldName"),
    (121, "DocumentValidationFailure"),
    (10334, "BSONObjectTooLarge"),
    (17280, "KeyTooLong"),
    (17419, "the document would be larger than 16 MiB"),
];

/// What a server says about a whole command because of a document in it. Few, because most codes for
/// a command blame the command.
const REFUSALS_OF_ALL: [(i32, &str); 2] = [(22, "InvalidBSON"), (10334, "BSONObjectTooLarge")];

/// What became of documents: whatever is not refused is held.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Answers {
    /// Those that were held before, by their numbers.
    pub(super) held: Vec<usize>,
    /// Those that the server will never take.
    pub(super) refused: Vec<RefusedDocument>,
}

/// A document that the server will never take.
#[derive(Debug, PartialEq, Eq)]
pub struct RefusedDocument {
    /// Its number among those that were to be stored, from 0.
    pub index: usize,
    /// Why, without a word of what it holds.
    pub reason: String,
}

/// How one insert ended.
#[derive(Debug, PartialEq, Eq)]
enum Inserted {
    /// Each document has an answer of its own.
    Each(Answers),
    /// None was looked at, because of one that the driver or the server does not take.
    None(String),
}

/// Inserts documents, whatever of them is held already.
pub(super) async fn insert(
    collection: &Collection<Document>,
    documents: &[RawDocumentBuf],
) -> Result<Answers, ArchiveError> {
    divide(documents.len(), |part| insert_part(collection, &documents[part])).await
}

async fn insert_part(
    collection: &Collection<Document>,
    documents: &[RawDocumentBuf],
) -> Result<Inserted, ArchiveError> {
    let options = InsertManyOptions::builder().ordered(false).build();
    let collection = collection.clone_with_type::<RawDocumentBuf>();
    let inserted = collection.insert_many(documents).with_options(options);
    match tokio::time::timeout(WRITE_TIMEOUT, inserted).await {
        Ok(Ok(_)) => Ok(Inserted::Each(Answers::default())),
        Ok(Err(error)) => sort(error),
        Err(_) => Err(ArchiveError::Timeout),
    }
}

/// Inserts that many documents by parts, until each of those that spoil a whole insert is found.
async fn divide<F>(
    length: usize,
    mut insert: impl FnMut(Range<usize>) -> F,
) -> Result<Answers, ArchiveError>
where
    F: Future<Output = Result<Inserted, ArchiveError>>,
{
    let mut all = Answers::default();
    let mut parts = Vec::new();
    parts.push(0..length);
    while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
        match insert(part.clone()).await? {
            Inserted::Each(Answers { held, refused }) => {
                all.held.extend(held.into_iter().map(|index| part.start + index));
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

/// Sorts the failure of an unordered insert.
fn sort(error: Error) -> Result<Inserted, ArchiveError> {
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
    let mut answers = Answers::default();
    for failure in insert.write_errors.iter().flatten() {
        match refusal(failure.code) {
            _ if failure.code == DUPLICATE_KEY => answers.held.push(failure.index),
            Some(reason) => answers.refused.push(RefusedDocument { index: failure.index, reason }),
            None => return Err(ArchiveError::Insert(failure.code)),
        }
    }
    Ok(Inserted::Each(answers))
}

/// Why the server will never take a document, if it is for that code that it did not take one.
pub(super) fn refusal(code: i32) -> Option<String> {
    reason(&REFUSALS, code)
}

fn reason(refusals: &[(i32, &str)], code: i32) -> Option<String> {
    let (_, name) = refusals.iter().find(|(known, _)| *known == code)?;
    Some(format!("MongoDB refuses the document: {name}"))
}

#[cfg(test)]
#[path = "insert_tests.rs"]
mod tests;
