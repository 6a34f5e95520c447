//! The judge: compares what was acknowledged and what clients heard with the log and the archive.
//!
//! The log is the truth. A client must have heard exactly what the rule of repeats leaves of it, from its first
//! cursor on and in its order; the archive must hold every message of it once; and an acknowledged message must be in
//! it.

use std::collections::{HashMap, HashSet};
use std::fmt::Display;

use uuid::Uuid;

use crate::chat::client::Acked;
use crate::chat::transcript::Heard;

/// A record is a repeat if its id occurs within this many offsets before it.
const WINDOW: i64 = 10_000;

/// What there is to judge by.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// What is heard of the room, from the beginning of its partition.
    pub log: Vec<Heard>,
    /// What stands after this position belongs to the run.
    pub since: i64,
    /// Where the archive says that what is heard of the room after `since` stands.
    pub archive: HashMap<Uuid, i64>,
    /// The messages in the dead letter queue.
    pub dead: HashSet<Uuid>,
    /// What was acknowledged; a message that was sent more than once under its key, more than once.
    pub acked: Vec<Acked>,
    /// Every client that was subscribed for the whole run, or until its person was removed.
    pub clients: Vec<ClientHeard>,
}

/// What a client heard.
#[derive(Clone, Debug, Default)]
pub struct ClientHeard {
    /// The name of the client.
    pub name: String,
    /// The client must have heard everything after this position.
    pub start: i64,
    /// And nothing after this one, if its person was removed there.
    pub end: Option<i64>,
    /// What it heard, in the order it came.
    pub heard: Vec<Heard>,
}

/// What the judge found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Messages that were acknowledged and are missing in the log or in the archive.
    pub lost: u64,
    /// Messages that a client took more than once.
    pub doubled: u64,
    /// Messages that are missing in what a client heard.
    pub gaps: u64,
    /// Messages that a client heard at another place than the log's.
    pub misplaced: u64,
    /// Messages that a client heard and was not to hear.
    pub overheard: u64,
    /// Copies in the log, from repeated sends, that readers must drop.
    pub copies: u64,
    /// Everything that is not as promised, in words.
    pub findings: Vec<String>,
}

/// Compares the evidence with what is promised.
#[must_use]
pub fn judge(evidence: &Evidence) -> Verdict {
    let mut verdict = Verdict::default();
    let first = first_places(&evidence.log);
    let delivered = delivered(&evidence.log);
    let of_run = evidence.log.iter().filter(|entry| entry.position > evidence.since).count();
    let left = delivered.iter().filter(|entry| entry.position > evidence.since).count();
    verdict.copies = (of_run - left) as u64;
    judge_archive(evidence, &first, &mut verdict);
    judge_acked(evidence, &first, &mut verdict);
    for client in &evidence.clients {
        judge_client(client, &expected(&delivered, client), &mut verdict);
    }
    verdict
}

fn first_places(log: &[Heard]) -> HashMap<Uuid, i64> {
    let mut first = HashMap::new();
    for entry in log {
        first.entry(entry.id).or_insert(entry.position);
    }
    first
}

/// What the rule of repeats leaves of the log.
fn delivered(log: &[Heard]) -> Vec<Heard> {
    let mut latest = HashMap::new();
    let is_new = |entry: &&Heard| {
        let before: Option<i64> = latest.insert(entry.id, entry.position);
        before.is_none_or(|before| entry.position - before > WINDOW)
    };
    log.iter().filter(is_new).copied().collect()
}

/// What a client hears of that, when it drops what it knows.
fn expected(delivered: &[Heard], client: &ClientHeard) -> Vec<Heard> {
    let mut known = HashSet::new();
    let is_heard = |entry: &&Heard| {
        entry.position > client.start && client.end.is_none_or(|end| entry.position <= end)
    };
    let heard = delivered.iter().filter(is_heard);
    heard.filter(|entry| known.insert(entry.id)).copied().collect()
}

fn judge_archive(evidence: &Evidence, first: &HashMap<Uuid, i64>, verdict: &mut Verdict) {
    let (mut missing, mut elsewhere) = (Vec::new(), Vec::new());
    for (id, place) in first.iter().filter(|(_, place)| **place > evidence.since) {
        match evidence.archive.get(id) {
            None => missing.push(*id),
            Some(archived) if archived != place => elsewhere.push(*id),
            Some(_) => {}
        }
    }
    let unknown = evidence.archive.keys().filter(|id| !first.contains_key(id)).copied();
    verdict.lost += missing.len() as u64;
    verdict.find("in the log and not in the archive", &missing);
    verdict.find("archived at another place than the log's first", &elsewhere);
    verdict.find("in the archive and not in the log", &unknown.collect::<Vec<_>>());
}

fn judge_acked(evidence: &Evidence, first: &HashMap<Uuid, i64>, verdict: &mut Verdict) {
    let standing: HashSet<(i64, Uuid)> =
        evidence.log.iter().map(|entry| (entry.position, entry.id)).collect();
    let (mut missing, mut elsewhere, mut dead) = (Vec::new(), Vec::new(), Vec::new());
    for Acked { id, place } in &evidence.acked {
        if !first.contains_key(id) {
            missing.push(*id);
        } else if place.is_some_and(|place| !standing.contains(&(place.position, *id))) {
            elsewhere.push(*id);
        }
        if evidence.dead.contains(id) {
            dead.push(*id);
        }
    }
    verdict.lost += missing.len() as u64;
    verdict.find("acknowledged and not in the log", &missing);
    verdict.find("acknowledged with a cursor where something else stands", &elsewhere);
    verdict.find("acknowledged and in the dead letter queue", &dead);
}

fn judge_client(client: &ClientHeard, expected: &[Heard], verdict: &mut Verdict) {
    if client.heard == expected {
        return;
    }
    let name = &client.name;
    let wanted: HashMap<Uuid, i64> =
        expected.iter().map(|entry| (entry.id, entry.position)).collect();
    let mut heard = HashMap::new();
    let (mut doubled, mut strange, mut misplaced) = (Vec::new(), Vec::new(), Vec::new());
    for entry in &client.heard {
        if heard.insert(entry.id, entry.position).is_some() {
            doubled.push(entry.id);
        }
        match wanted.get(&entry.id) {
            None => strange.push(entry.id),
            Some(position) if *position != entry.position => misplaced.push(entry.id),
            Some(_) => {}
        }
    }
    let missing: Vec<Uuid> =
        expected.iter().map(|entry| entry.id).filter(|id| !heard.contains_key(id)).collect();
    let falls = client.heard.windows(2).filter(|pair| pair[1].position <= pair[0].position);
    misplaced.extend(falls.map(|pair| pair[1].id));
    verdict.gaps += missing.len() as u64;
    verdict.doubled += doubled.len() as u64;
    verdict.misplaced += misplaced.len() as u64;
    verdict.overheard += strange.len() as u64;
    verdict.find(format_args!("missing at {name}"), &missing);
    verdict.find(format_args!("taken twice by {name}"), &doubled);
    verdict.find(format_args!("out of the log's order at {name}"), &misplaced);
    verdict.find(format_args!("heard by {name} and not to be heard"), &strange);
}

impl Verdict {
    fn find(&mut self, what: impl Display, ids: &[Uuid]) {
        if let Some(example) = ids.first() {
            self.findings.push(format!("{} {what}, such as {example}", ids.len()));
        }
    }
}

#[cfg(test)]
mod tests;
