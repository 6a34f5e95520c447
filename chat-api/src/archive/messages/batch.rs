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

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
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

/// What one insert came to.
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
mod tests {
    use super::*;

    /// What a server does with documents of which some spoil the insert they are in, and some are
    /// refused by themselves.
    async fn stored(length: usize, spoiling: &[usize], refused: &[usize]) -> (Stored, usize) {
        let mut inserts = 0;
        let stored = divide(length, |part| {
            inserts += 1;
            let answer = if part.clone().any(|index| spoiling.contains(&index)) {
                Inserted::None("spoilt".to_owned())
            } else {
                let refused: Vec<_> = (part.clone())
                    .filter(|index| refused.contains(index))
                    .map(|index| RefusedDocument {
                        index: index - part.start,
                        reason: "bad".to_owned(),
                    })
                    .collect();
                Inserted::Each(Stored { fresh: part.len() - refused.len(), refused })
            };
            std::future::ready(Ok(answer))
        });
        (stored.await.unwrap(), inserts)
    }

    #[tokio::test]
    async fn exactly_the_documents_that_cannot_be_taken_are_blamed() {
        for length in 0..8_usize {
            // Every way of sorting the documents into good, spoiling and refused ones.
            for case in 0..3_usize.pow(u32::try_from(length).unwrap()) {
                let kind = |index: usize| case / 3_usize.pow(u32::try_from(index).unwrap()) % 3;
                let of = |wanted| (0..length).filter(|index| kind(*index) == wanted).collect();
                let (spoiling, refused): (Vec<usize>, Vec<usize>) = (of(1), of(2));
                let (stored, _) = stored(length, &spoiling, &refused).await;
                assert_eq!(stored.fresh, length - spoiling.len() - refused.len());
                let mut blamed: Vec<_> =
                    stored.refused.iter().map(|r| (r.index, r.reason.as_str())).collect();
                blamed.sort_unstable();
                let mut expected: Vec<_> =
                    spoiling.iter().map(|index| (*index, "spoilt")).collect();
                expected.extend(refused.iter().map(|index| (*index, "bad")));
                expected.sort_unstable();
                assert_eq!(blamed, expected, "{length} documents, case {case}");
            }
        }
    }

    #[tokio::test]
    async fn one_in_a_thousand_is_found_by_halving() {
        let (stored, inserts) = stored(1_000, &[617], &[]).await;
        assert_eq!(stored.fresh, 999);
        // Ten halvings, each with one good half.
        assert!(inserts <= 21, "{inserts} inserts");
    }

    #[tokio::test]
    async fn an_outage_in_the_middle_is_an_outage() {
        let outage = divide(2, |part| {
            let answer = match part.len() {
                2 => Ok(Inserted::None("spoilt".to_owned())),
                _ => Err(ArchiveError::Timeout),
            };
            std::future::ready(answer)
        });
        assert!(matches!(outage.await, Err(ArchiveError::Timeout)));
    }
}
