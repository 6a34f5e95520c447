//! What changes make of a message: a pure function of the log's order.

use chrono::{DateTime, Utc};
use mongodb::bson::{self, Bson, Document, doc};

use crate::archive::document::{place, time};
use crate::message::{Act, Change, Content, Event, Position, UserId};

/// A message's document, as far as changes change it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct MessageState {
    /// The place of the last change that is in this, as it is stored.
    changed: Option<i64>,
    /// Nothing up to here changes it any more: its own place at least.
    upto: i64,
    content: Option<String>,
    original: Option<String>,
    edited_at: Option<DateTime<Utc>>,
    deleted_at: Option<DateTime<Utc>>,
    /// Who reacts, by emoji, in the order in which the first of each came.
    reactions: Vec<(String, Vec<String>)>,
    pinned: bool,
}

impl MessageState {
    /// The state of a document. None of one that this program did not write: it stays as it is.
    pub(super) fn of(document: &Document) -> Option<Self> {
        let text = |field| document.get_str(field).ok().map(str::to_owned);
        let pos = place(document, "pos").ok()??.raw();
        let changed = place(document, "changed").ok()?.map(Position::raw);
        Some(Self {
            changed,
            upto: changed.unwrap_or(pos).max(pos),
            content: text("content"),
            original: text("original"),
            edited_at: time(document, "edited_at").ok()?,
            deleted_at: time(document, "deleted_at").ok()?,
            reactions: match document.get("reactions") {
                None => Vec::new(),
                Some(reactions) => people(reactions.as_document()?)?,
            },
            pinned: document.get_bool("pinned").unwrap_or(false),
        })
    }

    /// Whether it was deleted.
    pub(super) fn is_deleted(&self) -> bool {
        self.deleted_at.is_some()
    }

    /// Does what an event did to it, unless that was done before.
    pub(super) fn apply(&mut self, event: &Event, Change { act, .. }: &Change) {
        let position = event.position.raw();
        if position <= self.upto {
            return;
        }
        self.upto = position;
        if self.is_deleted() {
            return;
        }
        let (when, who) = (event.envelope.timestamp, &event.envelope.user_id);
        match act {
            Act::Edit { content: Some(content) } => self.edit(content, when),
            // Its text is erased with that of its message, which is gone, then.
            Act::Edit { content: None } => {}
            Act::Delete => {
                let Self { changed, upto, .. } = *self;
                *self = Self { changed, upto, deleted_at: Some(when), ..Self::empty() };
            }
            Act::React { emoji, on: true } => self.react(emoji.as_str(), who),
            Act::React { emoji, on: false } => self.take_back(emoji.as_str(), who),
            Act::Pin { on } => self.pinned = *on,
        }
    }

    fn empty() -> Self {
        Self {
            changed: None,
            upto: 0,
            content: None,
            original: None,
            edited_at: None,
            deleted_at: None,
            reactions: Vec::new(),
            pinned: false,
        }
    }

    fn edit(&mut self, content: &Content, when: DateTime<Utc>) {
        let before = self.content.replace(content.as_str().to_owned());
        if self.original.is_none() {
            self.original = before;
        }
        self.edited_at = Some(when);
    }

    fn react(&mut self, emoji: &str, who: &UserId) {
        let all: usize = self.reactions.iter().map(|(_, people)| people.len()).sum();
        if all >= Change::REACTIONS_MAX {
            return;
        }
        let (kinds, person) = (self.reactions.len(), || who.as_str().to_owned());
        match self.reactions.iter_mut().find(|(other, _)| other == emoji) {
            Some((_, people)) if people.iter().any(|other| other == who.as_str()) => {}
            Some((_, people)) => people.push(person()),
            None if kinds >= Change::EMOJI_MAX => {}
            None => self.reactions.push((emoji.to_owned(), vec![person()])),
        }
    }

    fn take_back(&mut self, emoji: &str, who: &UserId) {
        if let Some((_, people)) = self.reactions.iter_mut().find(|(other, _)| other == emoji) {
            people.retain(|other| other != who.as_str());
        }
        self.reactions.retain(|(_, people)| !people.is_empty());
    }

    /// What makes the document of one state that of a later one: the guard, which only the document of the
    /// former passes, and the update. None if nothing came about.
    pub(super) fn update(&self, after: &Self) -> Option<(Document, Document)> {
        if after.upto == self.upto {
            return None;
        }
        let (mut set, mut unset) = (doc! { "changed": after.upto }, Document::new());
        let mut put = |field: &str, value: Option<Bson>| {
            match value {
                Some(value) => set.insert(field, value),
                None => unset.insert(field, ""),
            };
        };
        let time = |time: Option<DateTime<Utc>>| {
            time.map(|time| bson::DateTime::from_millis(time.timestamp_millis()).into())
        };
        let text = |text: &Option<String>| text.clone().map(Bson::String);
        if self.content != after.content {
            put("content", text(&after.content));
        }
        if self.original != after.original {
            put("original", text(&after.original));
        }
        if self.edited_at != after.edited_at {
            put("edited_at", time(after.edited_at));
        }
        if self.pinned != after.pinned {
            put("pinned", after.pinned.then_some(Bson::Boolean(true)));
        }
        let is_news = after.is_deleted() && !self.is_deleted();
        if is_news {
            put("deleted_at", time(after.deleted_at));
            put("body_hash", None);
            put("reactions", None);
        }
        for (emoji, people) in &after.reactions {
            if self.people(emoji) != Some(people) {
                put(&format!("reactions.{emoji}"), Some(Bson::from(people.clone())));
            }
        }
        // Of a deleted message all of them are gone.
        for (emoji, _) in self.reactions.iter().filter(|_| !is_news) {
            if after.people(emoji).is_none() {
                put(&format!("reactions.{emoji}"), None);
            }
        }
        let mut update = doc! { "$set": set };
        if !unset.is_empty() {
            update.insert("$unset", unset);
        }
        // None is equal to a field that is not there.
        Some((doc! { "changed": self.changed }, update))
    }

    fn people(&self, emoji: &str) -> Option<&Vec<String>> {
        self.reactions.iter().find(|(other, _)| other == emoji).map(|(_, people)| people)
    }
}

/// The fields that a state is made of.
pub(super) fn fields() -> Document {
    let all =
        ["pos", "changed", "content", "original", "edited_at", "deleted_at", "reactions", "pinned"];
    all.into_iter().map(|field| (field.to_owned(), 1.into())).collect()
}

fn people(reactions: &Document) -> Option<Vec<(String, Vec<String>)>> {
    let text = |person: &Bson| person.as_str().map(str::to_owned);
    let of = |(emoji, people): (&String, &Bson)| {
        let people = people.as_array()?.iter().map(text).collect::<Option<_>>()?;
        Some((emoji.clone(), people))
    };
    reactions.iter().map(of).collect()
}

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
