//! What a run comes to, in numbers.

use std::collections::BTreeMap;
use std::fmt;
use std::ops::AddAssign;

use super::judge::Verdict;
use crate::chat::client::ClientRecord;

/// The figures of a scenario, or of all.
#[derive(Clone, Debug, Default)]
pub struct Figures {
    /// Clients that were there for the whole run.
    pub clients: u64,
    /// Messages that were given to a client to send.
    pub sent: u64,
    /// Those that were acknowledged.
    pub acknowledged: u64,
    /// Sends whose outcome was unknown at some time.
    pub unknown: u64,
    /// Those that were acknowledged in the end, under the same key.
    pub settled: u64,
    /// Messages that the log or the archive lost.
    pub lost: u64,
    /// Messages that a client took twice.
    pub doubled: u64,
    /// Messages that a client missed, and events that told of something missing.
    pub gaps: u64,
    /// Messages that a client took in another order than the log's.
    pub misplaced: u64,
    /// Messages that a client heard and was not to hear.
    pub overheard: u64,
    /// Copies in the log from repeated sends.
    pub copies: u64,
    /// Events that the id filter of a client dropped.
    pub filtered: u64,
    /// Connections after a client's first.
    pub reconnects: u64,
    /// Cursors that the server did not know.
    pub resets: u64,
    /// Resumes that waited for the archive.
    pub behind: u64,
    /// Tokens that were renewed on a living socket.
    pub renewals: u64,
    /// How many disturbances there were: parts taken away, connections cut.
    pub disturbances: u64,
    /// The disturbances after which messages went on: acknowledged, archived, everybody connected.
    pub recoveries: u64,
    /// How many connections ended with each close code.
    pub closes: BTreeMap<u16, u64>,
    /// Refusals that passed, by code.
    pub refusals: BTreeMap<String, u64>,
}

impl Figures {
    /// Adds what befell a client.
    pub fn add_client(&mut self, record: &ClientRecord) {
        self.clients += 1;
        self.unknown += record.unknown;
        self.settled += record.settled;
        self.gaps += record.transcript.holes;
        self.filtered += record.transcript.copies + record.transcript.again;
        self.reconnects += record.connections.saturating_sub(1);
        self.resets += record.transcript.resets;
        self.behind += record.behind;
        self.renewals += record.renewals;
        add_all(&mut self.closes, &record.closes);
        add_all(&mut self.refusals, &record.refusals);
    }

    /// Adds what the judge counted.
    pub fn add_verdict(&mut self, verdict: &Verdict) {
        self.lost += verdict.lost;
        self.doubled += verdict.doubled;
        self.gaps += verdict.gaps;
        self.misplaced += verdict.misplaced;
        self.overheard += verdict.overheard;
        self.copies += verdict.copies;
    }
}

fn add_all<K: Ord + Clone>(to: &mut BTreeMap<K, u64>, from: &BTreeMap<K, u64>) {
    for (key, count) in from {
        *to.entry(key.clone()).or_default() += count;
    }
}

impl AddAssign<&Self> for Figures {
    fn add_assign(&mut self, other: &Self) {
        self.clients += other.clients;
        self.sent += other.sent;
        self.acknowledged += other.acknowledged;
        self.unknown += other.unknown;
        self.settled += other.settled;
        self.lost += other.lost;
        self.doubled += other.doubled;
        self.gaps += other.gaps;
        self.misplaced += other.misplaced;
        self.overheard += other.overheard;
        self.copies += other.copies;
        self.filtered += other.filtered;
        self.reconnects += other.reconnects;
        self.resets += other.resets;
        self.behind += other.behind;
        self.renewals += other.renewals;
        self.disturbances += other.disturbances;
        self.recoveries += other.recoveries;
        add_all(&mut self.closes, &other.closes);
        add_all(&mut self.refusals, &other.refusals);
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { clients, sent, acknowledged, unknown, settled, lost, doubled, gaps, .. } = self;
        let Self {
            misplaced,
            overheard,
            copies,
            filtered,
            reconnects,
            resets,
            behind,
            renewals,
            ..
        } = self;
        writeln!(
            f,
            "    sent {sent}, acknowledged {acknowledged}, unknown {unknown}, settled {settled}; lost {lost}, \
             doubled {doubled}, gaps {gaps}, out of order {misplaced}, not to be heard {overheard}"
        )?;
        writeln!(
            f,
            "    clients {clients}, reconnects {reconnects}, resets {resets}, waits for the archive {behind}, \
             renewals {renewals}, copies in the log {copies}, filtered {filtered}"
        )?;
        write!(f, "    disturbances {}, recoveries {}", self.disturbances, self.recoveries)?;
        write_all(f, "closes", &self.closes)?;
        write_all(f, "refusals that passed", &self.refusals)
    }
}

fn write_all<K: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    counts: &BTreeMap<K, u64>,
) -> fmt::Result {
    if counts.is_empty() {
        return Ok(());
    }
    write!(f, "; {what}:")?;
    counts.iter().try_for_each(|(key, count)| write!(f, " {key} ×{count}"))
}
