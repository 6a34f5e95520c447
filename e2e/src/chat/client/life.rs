//! What goes on over all connections of a client.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::sync::mpsc;
use tokio::time::Instant;

use super::command::ClientCommand;
use super::record::{ClientRecord, lock};
use super::saying::{Refused, Saying};
use super::settings::Settings;

/// The first pause before coming back, at most; each further failure doubles it …
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// … up to here. With chance between nothing and that, a replica's clients do not come all at once.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// A client as it lives.
pub(super) struct Life {
    pub(super) settings: Arc<Settings>,
    pub(super) sayings: mpsc::Receiver<Saying>,
    pub(super) commands: mpsc::Receiver<ClientCommand>,
    pub(super) record: Arc<Mutex<ClientRecord>>,
    /// The one send without an answer.
    pub(super) pending: Option<Pending>,
    pub(super) random: StdRng,
    /// The replica in use: an index.
    pub(super) at: usize,
    /// Connections that failed since the last good one.
    failures: u32,
}

/// A send without an answer.
pub(super) struct Pending {
    pub(super) saying: Saying,
    /// The same in every attempt: an answer to an earlier one is as good.
    pub(super) reference: String,
    /// It was sent and not answered: it may be in the log.
    pub(super) unanswered: bool,
    /// Its outcome was unknown once.
    pub(super) was_unknown: bool,
    /// When the send is repeated.
    pub(super) again_at: Instant,
}

/// How a connection ended.
pub(super) enum End {
    /// Nobody holds the client any more.
    Over,
    /// The server closed: the code, 1006 if there was none, and the reason.
    Closed(u16, String),
    /// The client cut it itself, as it was told to.
    Cut,
    /// The replica said that it leaves, and this client went first.
    Drained,
    /// The connection did not come about.
    Failed,
}

impl Life {
    /// A client that has no connection yet.
    pub(super) fn new(
        settings: Arc<Settings>,
        sayings: mpsc::Receiver<Saying>,
        commands: mpsc::Receiver<ClientCommand>,
        record: Arc<Mutex<ClientRecord>>,
    ) -> Self {
        let random = StdRng::seed_from_u64(settings.seed);
        let at = settings.home;
        Self { settings, sayings, commands, record, pending: None, random, at, failures: 0 }
    }

    /// The replica to go to.
    pub(super) fn replica(&self) -> &str {
        &self.settings.replicas[self.at % self.settings.replicas.len()]
    }

    /// A connection came about.
    pub(super) fn connected(&mut self) {
        self.failures = 0;
    }

    /// The connection ended: whatever was sent and not answered may be in the log.
    pub(super) fn interrupted(&mut self) {
        lock(&self.record).online = false;
        if let Some(pending) = &mut self.pending {
            if std::mem::take(&mut pending.unanswered) {
                doubt(pending, &self.record);
            }
            pending.again_at = Instant::now();
        }
    }

    /// Ends for good: whoever waits for an answer is told why.
    pub(super) fn stay_away(mut self, why: &str) {
        lock(&self.record).ended = Some(why.to_owned());
        if let Some(pending) = self.pending.take() {
            // Whoever waits for the answer may have gone.
            let _ = pending.saying.answer.send(Err(Refused(why.to_owned())));
        }
    }

    /// Full jitter: anything up to a limit that grows with the failures in a row.
    pub(super) fn pause(&mut self) -> Duration {
        let limit = FIRST_PAUSE.saturating_mul(1 << self.failures.min(8)).min(LONGEST_PAUSE);
        self.failures += 1;
        limit.mul_f64(self.random.random())
    }
}

/// Notes that the outcome of a send is unknown, once for each.
pub(super) fn doubt(pending: &mut Pending, record: &Mutex<ClientRecord>) {
    if !std::mem::replace(&mut pending.was_unknown, true) {
        lock(record).unknown += 1;
    }
}
