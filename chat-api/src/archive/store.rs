//! Storing many events at once.

use std::collections::{HashMap, HashSet};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use mongodb::bson::RawDocumentBuf;

use super::changes::{self, Changes};
use super::error::ArchiveError;
use super::insert::{Answers, RefusedDocument};
use super::messages::{self, ChangedMessage, Folded, Messages};
use super::rooms::MarkerStore;
use crate::message::{
    Act, Body, Change, Envelope, Event, Marker, MessageId, Position, RoomId, UserId,
};

/// Messages that are updated by one command, which has 16 MiB at most: each of them has 300 KiB at most, its
/// text and whoever reacts.
const UPDATES: usize = 32;
/// Such commands under way at once.
const COMMANDS: usize = 4;

/// Events in the form in which they are stored.
#[derive(Debug, Default)]
pub struct Batch {
    messages: Documents,
    changes: Documents,
    /// The changes once more, as many as there are documents of them.
    events: Vec<Event>,
    /// Who has said something has read up to there: the last place of each author and room.
    said: HashMap<(RoomId, UserId), Position>,
}

/// Documents, and which events of the batch they are.
#[derive(Debug, Default)]
struct Documents {
    numbers: Vec<usize>,
    documents: Vec<RawDocumentBuf>,
}

/// What became of a batch: whatever is not refused is held.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Stored {
    /// How many were not held before.
    pub fresh: usize,
    /// Those that the server will never take.
    pub refused: Vec<RefusedDocument>,
}

impl Batch {
    /// The documents of these messages and changes of them, in their order, which is the log's.
    pub fn of<'a>(events: impl IntoIterator<Item = &'a Event>) -> Self {
        let mut batch = Self::default();
        for (number, event) in events.into_iter().enumerate() {
            match &event.envelope.body {
                Body::Message { .. } => {
                    batch.messages.push(number, messages::document::of_event(event));
                    let Envelope { room_id, user_id, .. } = &event.envelope;
                    let author = (room_id.clone(), user_id.clone());
                    let last = batch.said.entry(author).or_insert(event.position);
                    *last = event.position.max(*last);
                }
                Body::Change(change) => {
                    batch.changes.push(number, changes::document::of_event(event, change));
                    batch.events.push(event.clone());
                }
                // Decided about and stored elsewhere: `rooms`.
                Body::Proposal(_) => {}
            }
        }
        batch
    }

    /// Up to where its authors have read.
    fn markers(&self) -> Vec<Marker> {
        let marker = |((room, user), position): (&(RoomId, UserId), &Position)| Marker {
            room_id: room.clone(),
            user_id: user.clone(),
            position: *position,
        };
        self.said.iter().map(marker).collect()
    }

    /// The number of events in the batch.
    #[must_use]
    pub fn len(&self) -> usize {
        self.messages.numbers.len() + self.changes.numbers.len()
    }

    /// Whether the batch has no event.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Documents {
    fn push(&mut self, number: usize, document: RawDocumentBuf) {
        self.numbers.push(number);
        self.documents.push(document);
    }
}

impl Stored {
    fn add(&mut self, of: &Documents, Answers { held, refused }: Answers) {
        self.fresh += of.numbers.len().saturating_sub(held.len() + refused.len());
        self.refused.extend(
            refused
                .into_iter()
                .map(|refusal| RefusedDocument { index: of.numbers[refusal.index], ..refusal }),
        );
    }
}

/// Stores a batch, whatever of it is held already: first what was said and that its authors have read it,
/// then what was done to it, then what came of that. Cut off anywhere and begun anew, also from further back, it comes to the same.
pub(super) async fn store(
    messages: &Messages,
    changes: &Changes,
    markers: &MarkerStore,
    batch: &Batch,
) -> Result<Stored, ArchiveError> {
    let mut stored = Stored::default();
    stored.add(&batch.messages, messages.insert(&batch.messages.documents).await?);
    // Also of messages that were held before: the process may have ended in between. A repeat has its author
    // read up to itself, not only up to the message that counts.
    markers.advance(&batch.markers()).await?;
    if batch.events.is_empty() {
        return Ok(stored);
    }
    let answers = changes.insert(&batch.changes.documents).await?;
    let counted = counted(changes, &batch.events, &answers).await?;
    stored.add(&batch.changes, answers);
    let groups = by_message(&batch.events, &counted);
    let folds = groups.chunks(UPDATES).map(|some| fold(messages, changes, some));
    let folds: Vec<_> = folds.collect();
    let refused: Vec<_> = stream::iter(folds).buffer_unordered(COMMANDS).try_collect().await?;
    let refused: HashMap<MessageId, String> = refused.into_iter().flatten().collect();
    for (index, event) in batch.events.iter().enumerate() {
        if let Some(reason) = refused.get(&event.envelope.message_id) {
            let index = batch.changes.numbers[index];
            stored.refused.push(RefusedDocument { index, reason: reason.clone() });
            stored.fresh = stored.fresh.saturating_sub(1);
        }
    }
    Ok(stored)
}

/// Which of the changes count, by their numbers: those that are held where they stand in the log. One that is
/// held with another place is a repeat, and one that is refused is nowhere.
async fn counted(
    changes: &Changes,
    events: &[Event],
    Answers { held, refused }: &Answers,
) -> Result<Vec<usize>, ArchiveError> {
    let mut uncounted: HashSet<usize> = refused.iter().map(|refusal| refusal.index).collect();
    if !held.is_empty() {
        let of = |index: &usize| &events[*index].envelope;
        let ids: Vec<MessageId> = held.iter().map(|index| of(index).message_id).collect();
        let rooms: HashSet<&RoomId> = held.iter().map(|index| &of(index).room_id).collect();
        let rooms: Vec<&RoomId> = rooms.into_iter().collect();
        let places = changes.places(&rooms, &ids).await?;
        let is_repeat = |index: &usize| {
            let place = places.get(&of(index).message_id.to_string());
            place.is_some_and(|place| *place != events[*index].position.raw())
        };
        uncounted.extend(held.iter().copied().filter(is_repeat));
    }
    Ok((0..events.len()).filter(|index| !uncounted.contains(index)).collect())
}

/// The messages that were changed, each with its changes in the log's order.
fn by_message<'a>(events: &'a [Event], counted: &[usize]) -> Vec<ChangedMessage<'a>> {
    let mut numbers: HashMap<(&RoomId, MessageId), usize> = HashMap::new();
    let mut changed: Vec<ChangedMessage<'a>> = Vec::new();
    for event in counted.iter().map(|index| &events[*index]) {
        let Some(Change { target, .. }) = event.envelope.body.change() else { continue };
        let (room, id) = (&event.envelope.room_id, target.message_id);
        let number = *numbers.entry((room, id)).or_insert_with(|| {
            changed.push(ChangedMessage { room, id, changes: Vec::new() });
            changed.len() - 1
        });
        changed[number].changes.push(event);
    }
    changed
}

/// Folds changes into their messages, and erases what deleted ones had as text. Returns the changes that the
/// server will never take, with the reason; they are held no more.
async fn fold(
    messages: &Messages,
    changes: &Changes,
    groups: &[ChangedMessage<'_>],
) -> Result<Vec<(MessageId, String)>, ArchiveError> {
    let Folded { deleted, refused } = messages.fold(groups).await?;
    let mut erased: HashMap<&RoomId, Vec<MessageId>> = HashMap::new();
    for (number, message) in groups.iter().enumerate() {
        // Without a message as well: it may have gone, and its texts not.
        let deletes = |event: &&Event| {
            matches!(event.envelope.body.change(), Some(Change { act: Act::Delete, .. }))
        };
        let is_text = |event: &&Event| event.envelope.body.content().is_some();
        let is_deleted = deleted.contains(&number) && message.changes.iter().any(is_text);
        if is_deleted || message.changes.iter().any(deletes) {
            erased.entry(message.room).or_default().push(message.id);
        }
    }
    for (room, ids) in erased {
        changes.erase(room, &ids).await?;
    }
    let mut all = Vec::new();
    for (number, reason) in refused {
        let message = &groups[number];
        let ids: Vec<_> = message.changes.iter().map(|event| event.envelope.message_id).collect();
        changes.forget(&[message.room], &ids).await?;
        all.extend(ids.into_iter().map(|id| (id, reason.clone())));
    }
    Ok(all)
}
