//! What befell a client.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::chat::transcript::Transcript;

/// What a client heard and what befell it.
#[derive(Clone, Debug, Default)]
pub struct ClientRecord {
    /// What it heard of its room.
    pub transcript: Transcript,
    /// Whether it is connected and subscribed now.
    pub online: bool,
    /// How many connections ended with each close code; 1006 is a connection that was cut.
    pub closes: BTreeMap<u16, u64>,
    /// Connections that came about.
    pub connections: u64,
    /// Connections that did not come about.
    pub failures: u64,
    /// Subscriptions that were refused: to this person there is no such room.
    pub shut_out: u64,
    /// Resumes that had to wait for the archive.
    pub behind: u64,
    /// Tokens that were renewed on a living socket.
    pub renewals: u64,
    /// Sends whose outcome was unknown at some time.
    pub unknown: u64,
    /// Those of them that were acknowledged in the end.
    pub settled: u64,
    /// Refusals that pass, by code: the send was repeated.
    pub refusals: BTreeMap<String, u64>,
    /// Why it stays away, if it does.
    pub ended: Option<String>,
    /// Each time the server did what it may not, in words.
    pub faults: Vec<String>,
}

/// The record, also after a panic of whoever wrote to it: each of its fields is whole.
pub(super) fn lock(record: &Mutex<ClientRecord>) -> MutexGuard<'_, ClientRecord> {
    record.lock().unwrap_or_else(PoisonError::into_inner)
}
