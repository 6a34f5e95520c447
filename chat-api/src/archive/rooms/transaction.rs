//! What a batch makes of one room, in one transaction.

use std::collections::{BTreeSet, HashSet};

use mongodb::bson::{Document, doc};
use mongodb::error::{
    Error, ErrorKind, TRANSIENT_TRANSACTION_ERROR, UNKNOWN_TRANSACTION_COMMIT_RESULT, WriteFailure,
};
use mongodb::options::{ReadConcern, TransactionOptions, WriteConcern};
use mongodb::{ClientSession, Collection};
use tokio::time::timeout;

use super::batch::Proposed;
use super::document;
use super::kept::{Kept, Outcome, concerned};
use crate::archive::error::ArchiveError;
use crate::archive::insert::{self, RefusedDocument};
use crate::archive::mongo::{WRITE_TIMEOUT, number};
use crate::archive::room_collections::RoomCollections;
use crate::message::{self, MessageId, Position, RoomChange, RoomId, UserId};
use crate::rooms::{RoomState, Verdict};

/// How often a transaction is tried that ran into another one. There is one reader of a partition, and
/// for a moment two when it changes hands.
const ATTEMPTS: usize = 3;
/// How often a commit is asked about of which the answer was lost.
const COMMITS: usize = 3;

/// The proposals of one room.
pub(super) struct Transaction<'a> {
    pub(super) collections: &'a RoomCollections,
    pub(super) room: &'a RoomId,
    /// In the log's order.
    pub(super) proposals: Vec<&'a Proposed>,
}

/// Why nothing was written.
enum Unwritten {
    /// The server will never take it.
    Refused(String),
    Failed(ArchiveError),
}

impl From<ArchiveError> for Unwritten {
    fn from(error: ArchiveError) -> Self {
        Self::Failed(error)
    }
}

impl From<Error> for Unwritten {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

impl Transaction<'_> {
    /// Decides and stores. If the server will never take what came of it, the first proposal is named.
    pub(super) async fn run(&self) -> Result<Option<RefusedDocument>, ArchiveError> {
        let mut left = ATTEMPTS;
        loop {
            left -= 1;
            let attempt = timeout(WRITE_TIMEOUT, self.attempt()).await;
            match attempt.unwrap_or(Err(Unwritten::Failed(ArchiveError::Timeout))) {
                Ok(()) => return Ok(None),
                Err(Unwritten::Refused(reason)) => {
                    let index = self.proposals.first().map_or(0, |proposed| proposed.index);
                    return Ok(Some(RefusedDocument { index, reason }));
                }
                Err(Unwritten::Failed(ArchiveError::Unavailable(error)))
                    if left > 0 && error.contains_label(TRANSIENT_TRANSACTION_ERROR) => {}
                Err(Unwritten::Failed(error)) => return Err(error),
            }
        }
    }

    /// What is not committed comes to nothing with the session.
    async fn attempt(&self) -> Result<(), Unwritten> {
        let mut session = self.collections.client().start_session().await?;
        let concerns = TransactionOptions::builder()
            .read_concern(ReadConcern::snapshot())
            .write_concern(WriteConcern::majority())
            .build();
        session.start_transaction().with_options(concerns).await?;
        let mut kept = self.load(&mut session).await.map_err(refusal)?;
        let Some(outcome) = kept.decide(&self.proposals) else { return Ok(()) };
        let written = self.write(&mut session, &kept, &outcome).await;
        written.map_err(refusal)?;
        commit(&mut session).await.map_err(refusal)
    }

    async fn load(&self, session: &mut ClientSession) -> Result<Kept, ArchiveError> {
        let collections = self.collections;
        let room = collections.rooms.find_one(doc! { "_id": self.room.as_str() });
        let room = room.session(&mut *session).await?;
        let none = (RoomState::default(), Position::BEFORE_ALL);
        let (mut state, upto) = room.as_ref().map_or(Ok(none), document::room)?;

        let people: BTreeSet<_> = self.proposals.iter().copied().flat_map(concerned).collect();
        let ids = people.into_iter().map(|person| document::member_id(self.room, person));
        for member in self.find(&collections.members, ids, session).await? {
            let (person, standing, at) = document::member(&member)?;
            state.set(&person, standing, at);
        }

        let ids = self.proposals.iter().map(|proposed| proposed.event.envelope.message_id);
        let changes =
            self.find(&collections.changes, ids.map(|id| id.to_string()), session).await?;
        let id = |change: &Document| MessageId::parse(change.get_str("_id").ok()?).ok();
        let decided: HashSet<_> = changes.iter().filter_map(id).collect();
        Ok(Kept { state, upto, decided })
    }

    /// The documents of these ids, as far as they are there.
    async fn find(
        &self,
        collection: &Collection<Document>,
        ids: impl Iterator<Item = String>,
        session: &mut ClientSession,
    ) -> Result<Vec<Document>, ArchiveError> {
        let ids: Vec<_> = ids.collect();
        let query = doc! { "room_id": self.room.as_str(), "_id": { "$in": ids } };
        let mut cursor = collection.find(query).session(&mut *session).await?;
        let mut found = Vec::new();
        while let Some(document) = cursor.next(session).await {
            found.push(document?);
        }
        Ok(found)
    }

    async fn write(
        &self,
        session: &mut ClientSession,
        kept: &Kept,
        Outcome { verdicts, people }: &Outcome<'_>,
    ) -> Result<(), ArchiveError> {
        let collections = self.collections;
        let changes: Vec<_> = verdicts
            .iter()
            .map(|(proposed, verdict)| document::of_verdict(proposed, *verdict))
            .collect();
        if !changes.is_empty() {
            collections.changes.insert_many(changes).session(&mut *session).await?;
        }
        let (mut members, mut in_it, mut out) = (Vec::new(), Vec::new(), Vec::new());
        for (person, membership) in people {
            let (room, name) = (self.room.as_str(), person.as_str());
            let set = doc! { "$set": document::of_member(self.room, person, membership) };
            let query = doc! { "_id": document::member_id(self.room, person), "room_id": room };
            members.push(doc! { "q": query, "u": set.clone(), "upsert": true });
            let query = doc! { "_id": document::of_person_id(self.room, person), "user_id": name };
            if membership.standing.is_in() {
                in_it.push(doc! { "q": query, "u": set, "upsert": true });
            } else {
                out.push(doc! { "q": query, "limit": 1 });
            }
        }
        self.update(&collections.members, "update", members, session).await?;
        if verdicts.iter().any(|(proposed, verdict)| deletes(proposed, *verdict)) {
            // Nobody is in it any more, though nothing was done to them.
            for person in self.everybody(session).await? {
                let (id, name) = (document::of_person_id(self.room, &person), person.as_str());
                out.push(doc! { "q": { "_id": id, "user_id": name }, "limit": 1 });
            }
            let ids = document::members_of(self.room);
            let markers = doc! { "room_id": self.room.as_str(), "_id": ids };
            collections.markers.delete_many(markers).session(&mut *session).await?;
        }
        self.update(&collections.rooms_of, "update", in_it, session).await?;
        self.update(&collections.rooms_of, "delete", out, session).await?;
        let query = doc! { "_id": self.room.as_str() };
        let set = doc! { "$set": document::of_room(&kept.state, kept.upto) };
        collections.rooms.update_one(query, set).upsert(true).session(session).await?;
        Ok(())
    }

    /// Whoever is known to the room.
    async fn everybody(&self, session: &mut ClientSession) -> Result<Vec<UserId>, ArchiveError> {
        let query = doc! { "room_id": self.room.as_str(), "_id": document::members_of(self.room) };
        let mut cursor = self.collections.members.find(query).session(&mut *session).await?;
        let mut people = Vec::new();
        while let Some(member) = cursor.next(session).await {
            people.push(document::member(&member?)?.0);
        }
        Ok(people)
    }

    /// One command for many documents: the driver has no such call for older servers.
    async fn update(
        &self,
        collection: &Collection<Document>,
        command: &str,
        statements: Vec<Document>,
        session: &mut ClientSession,
    ) -> Result<(), ArchiveError> {
        if statements.is_empty() {
            return Ok(());
        }
        let statements_of = if command == "delete" { "deletes" } else { "updates" };
        let command = doc! { command: collection.name(), statements_of: statements };
        let answer = self.collections.database.run_command(command).session(session).await?;
        let failures = answer.get_array("writeErrors").into_iter().flatten();
        let code = |failure: &mongodb::bson::Bson| number(failure.as_document()?.get("code")?);
        match failures.map(code).next() {
            None => Ok(()),
            Some(code) => {
                Err(ArchiveError::Insert(code.and_then(|code| code.try_into().ok()).unwrap_or(0)))
            }
        }
    }
}

fn deletes(proposed: &Proposed, verdict: Verdict) -> bool {
    let change = &proposed.proposal.change;
    verdict == Verdict::Accepted && *change == message::Proposed::Room(RoomChange::Delete)
}

async fn commit(session: &mut ClientSession) -> Result<(), ArchiveError> {
    let mut left = COMMITS;
    loop {
        left -= 1;
        match session.commit_transaction().await {
            Err(error) if left > 0 && error.contains_label(UNKNOWN_TRANSACTION_COMMIT_RESULT) => {}
            committed => return Ok(committed?),
        }
    }
}

/// Whether trying again is of no use: by the server's last word on what was written, or because what is
/// there was written by somebody else.
fn refusal(error: ArchiveError) -> Unwritten {
    let codes = match &error {
        ArchiveError::Foreign(_) => return Unwritten::Refused(error.to_string()),
        ArchiveError::Insert(code) => vec![*code],
        ArchiveError::Unavailable(error) => codes(error),
        _ => Vec::new(),
    };
    match codes.into_iter().find_map(insert::refusal) {
        Some(reason) => Unwritten::Refused(reason),
        None => Unwritten::Failed(error),
    }
}

/// What the server says about documents that it did not take.
fn codes(error: &Error) -> Vec<i32> {
    match error.kind.as_ref() {
        ErrorKind::InsertMany(insert) => {
            insert.write_errors.iter().flatten().map(|failure| failure.code).collect()
        }
        ErrorKind::Write(WriteFailure::WriteError(failure)) => vec![failure.code],
        _ => Vec::new(),
    }
}
