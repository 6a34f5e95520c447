//! A look into the archive in MongoDB.

use std::collections::HashMap;

use anyhow::{Context as _, Result, ensure};
use chrono::{DateTime, SecondsFormat};
use devstack::endpoints::Endpoints;
use futures_util::TryStreamExt as _;
use mongodb::bson::{Document, doc};
use mongodb::options::{ClientOptions, ReadConcern};
use mongodb::{Client, Collection};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::wait::until;

/// What the chat API keeps in MongoDB.
#[derive(Clone, Debug)]
pub struct Archive {
    messages: Collection<Document>,
    changes: Collection<Document>,
    progress: Collection<Document>,
}

impl Archive {
    /// Opens the archive of a stack.
    pub async fn open(endpoints: &Endpoints) -> Result<Self> {
        // An error of the parser might repeat the URI with its password.
        let options = ClientOptions::parse(&endpoints.mongodb).await.ok();
        let mut options = options.context("the MongoDB URI is malformed")?;
        // What is seen here cannot vanish any more, and the chat API sees it too.
        options.read_concern = Some(ReadConcern::majority());
        let database = Client::with_options(options)?.database(&endpoints.mongodb_database);
        Ok(Self {
            messages: database.collection("messages"),
            changes: database.collection("changes"),
            progress: database.collection("progress"),
        })
    }

    /// The document of a message, as soon as it is there.
    pub async fn message(&self, id: &str) -> Result<Document> {
        until("the message in MongoDB", async || {
            let found = self.messages.find_one(doc! { "_id": id }).await?;
            found.context("there is no such document")
        })
        .await
    }

    /// Waits until all of these messages are there.
    pub async fn holds(&self, ids: &[String]) -> Result<()> {
        until("the messages in MongoDB", async || {
            let held = self.messages.count_documents(doc! { "_id": { "$in": ids } }).await?;
            ensure!(held == ids.len() as u64, "{held} of {} are there", ids.len());
            Ok(())
        })
        .await
    }

    /// Where what was said in a room stands, and what was done to it or to a membership and counts, after a position,
    /// by the ids.
    pub async fn places(&self, room: &str, after: i64) -> Result<HashMap<Uuid, i64>> {
        let said = doc! { "room_id": room, "pos": { "$gt": after } };
        let mut done = said.clone();
        done.insert("verdict", "accepted");
        let mut places = HashMap::new();
        for (collection, query) in [(&self.messages, said), (&self.changes, done)] {
            let mut found = collection.find(query).projection(doc! { "pos": 1 }).await?;
            while let Some(document) = found.try_next().await? {
                let id = document.get_str("_id")?.parse().context("an id is a UUID")?;
                places.insert(id, document.get_i64("pos")?);
            }
        }
        Ok(places)
    }

    /// How many messages of a room stand after a position.
    pub async fn beyond(&self, room: &str, position: i64) -> Result<u64> {
        let query = doc! { "room_id": room, "pos": { "$gt": position } };
        Ok(self.messages.count_documents(query).await?)
    }

    /// Up to where a partition is said to be archived; -1 before it was begun.
    pub async fn progress(&self, partition: i32) -> Result<i64> {
        let found = self.progress.find_one(doc! { "g": 0, "partition": partition }).await?;
        Ok(found.map_or(Ok(-1), |found| found.get_i64("pos"))?)
    }

    /// What the lobby holds whose content begins like this, in the order of the room.
    pub async fn contents(&self, beginning: &str) -> Result<Vec<String>> {
        let query = doc! { "content": { "$regex": format!("^{beginning}") } };
        let found: Vec<Document> =
            self.messages.find(query).sort(doc! { "pos": 1 }).await?.try_collect().await?;
        found.iter().map(|found| Ok(found.get_str("content")?.to_owned())).collect()
    }
}

/// The envelope that a document holds, in the words of an event.
pub fn envelope(document: &Document) -> Result<Value> {
    let millis = document.get_datetime("timestamp")?.timestamp_millis();
    let timestamp = DateTime::from_timestamp_millis(millis).context("a time beyond all times")?;
    Ok(json!({
        "v": 1,
        "type": "message",
        "message_id": document.get_str("_id")?,
        "room_id": document.get_str("room_id")?,
        "user_id": document.get_str("user_id")?,
        "user_name": document.get_str("user_name")?,
        "timestamp": timestamp.to_rfc3339_opts(SecondsFormat::AutoSi, true),
        "content": document.get_str("content")?,
    }))
}
