//! What was said, a document each, with what was done to it since.

pub(super) mod document;
mod fold;
mod indexes;
pub(super) mod since;
pub(super) mod stored;

use std::collections::HashMap;

use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, RawDocumentBuf, doc};
use mongodb::options::Hint;
use mongodb::{Collection, Database};

use super::error::ArchiveError;
use super::insert::{self, Answers};
use super::mongo::{READ_TIMEOUT, WRITE_TIMEOUT, limited, number, safe};
use crate::message::{Event, MessageId, RoomId};
use fold::MessageState;

/// Rounds until all changes are in. A second one is needed if another reader of the same partition was
/// faster with some, which happens when a partition changes hands or beside a rebuild.
const ROUNDS: usize = 3;

/// The collection `messages`. A handle, cheap to clone.
#[derive(Clone)]
pub struct Messages {
    database: Database,
    messages: Collection<Document>,
}

/// A message, and what was done to it, in the log's order.
pub(super) struct ChangedMessage<'a> {
    pub(super) room: &'a RoomId,
    pub(super) id: MessageId,
    pub(super) changes: Vec<&'a Event>,
}

/// What became of changed messages.
#[derive(Default)]
pub(super) struct Folded {
    /// Those that are deleted, by their numbers.
    pub(super) deleted: Vec<usize>,
    /// Those of which the server will never take what was made of them, and why.
    pub(super) refused: Vec<(usize, String)>,
}

/// The collection with messages, for whoever reads it with another client.
pub(super) fn collection(database: &Database) -> Collection<Document> {
    database.collection_with_options("messages", safe())
}

impl Messages {
    pub(super) fn of(database: &Database) -> Self {
        Self { database: database.clone(), messages: collection(database) }
    }

    /// Stores messages, whatever of them is held already.
    pub(super) async fn insert(
        &self,
        documents: &[RawDocumentBuf],
    ) -> Result<Answers, ArchiveError> {
        insert::insert(&self.messages, documents).await
    }

    /// Folds into messages what was done to them. Each has one update, which only the state that it was made
    /// of passes; what is in already changes nothing, and neither does what was done to a message that is
    /// not here.
    pub(super) async fn fold(
        &self,
        changed: &[ChangedMessage<'_>],
    ) -> Result<Folded, ArchiveError> {
        let mut folded = Folded::default();
        for _ in 0..ROUNDS {
            let states = self.states(changed).await?;
            folded.deleted.clear();
            let (mut updates, mut numbers) = (Vec::new(), Vec::new());
            for (number, message) in changed.iter().enumerate() {
                let Some(before) = states.get(&message.id.to_string()) else { continue };
                let mut after = before.clone();
                for event in &message.changes {
                    if let Some(change) = event.envelope.body.change() {
                        after.apply(event, change);
                    }
                }
                if after.is_deleted() {
                    folded.deleted.push(number);
                }
                let is_refused = folded.refused.iter().any(|(refused, _)| *refused == number);
                if let Some((guard, update)) = before.update(&after).filter(|_| !is_refused) {
                    numbers.push(number);
                    updates.push(statement(message, guard, update));
                }
            }
            if updates.is_empty() || self.update(updates, &numbers, &mut folded).await? {
                return Ok(folded);
            }
        }
        Err(ArchiveError::Contended)
    }

    async fn states(
        &self,
        changed: &[ChangedMessage<'_>],
    ) -> Result<HashMap<String, MessageState>, ArchiveError> {
        let rooms: Vec<&str> = changed.iter().map(|message| message.room.as_str()).collect();
        let ids: Vec<String> = changed.iter().map(|message| message.id.to_string()).collect();
        let query = doc! { "room_id": { "$in": rooms }, "_id": { "$in": ids } };
        let find = self.messages.find(query).hint(Hint::Keys(doc! { "_id": 1 }));
        let find = find.projection(fold::fields()).max_time(READ_TIMEOUT);
        let found = async move { find.await?.try_collect::<Vec<_>>().await };
        let found = limited(READ_TIMEOUT, found).await?;
        let state = |document: Document| {
            let id = document.get_str("_id").ok()?.to_owned();
            Some((id, MessageState::of(&document)?))
        };
        Ok(found.into_iter().filter_map(state).collect())
    }

    /// Updates messages; whether all of them, but for those that are refused, were what they were taken for.
    async fn update(
        &self,
        updates: Vec<Document>,
        numbers: &[usize],
        folded: &mut Folded,
    ) -> Result<bool, ArchiveError> {
        // One command for all of them; the driver has no such call for older servers.
        let command = doc! {
            "update": self.messages.name(),
            "updates": updates,
            "ordered": false,
            "writeConcern": { "w": "majority" },
        };
        let answer = limited(WRITE_TIMEOUT, self.database.run_command(command)).await?;
        if answer.contains_key("writeConcernError") {
            return Err(ArchiveError::Fold);
        }
        let mut refused = 0;
        for failure in answer.get_array("writeErrors").into_iter().flatten() {
            let failure = failure.as_document().ok_or(ArchiveError::Fold)?;
            let of = |field| failure.get(field).and_then(number).ok_or(ArchiveError::Fold);
            let (index, code) = (usize::try_from(of("index")?), i32::try_from(of("code")?));
            let (Ok(index), Ok(code)) = (index, code) else { return Err(ArchiveError::Fold) };
            let reason = insert::refusal(code).ok_or(ArchiveError::Insert(code))?;
            let changed = numbers.get(index).ok_or(ArchiveError::Fold)?;
            folded.refused.push((*changed, reason));
            refused += 1;
        }
        let matched = answer.get("n").and_then(number).ok_or(ArchiveError::Fold)?;
        Ok(usize::try_from(matched) == Ok(numbers.len() - refused))
    }

    /// Has the indexes made, once: takes as long as there are messages without them.
    pub(super) async fn create_indexes(&self) -> Result<(), ArchiveError> {
        indexes::create(&self.messages).await
    }
}

fn statement(message: &ChangedMessage<'_>, guard: Document, update: Document) -> Document {
    let mut query = doc! { "room_id": message.room.as_str(), "_id": message.id.to_string() };
    query.extend(guard);
    doc! { "q": query, "u": update, "hint": { "_id": 1 } }
}
