//! The audit trail, beside what happens: it delays nothing and changes no outcome.
//!
//! What is worth a line gets one. Whoever guesses for hours, or is turned away, gets few: equal lines
//! are folded into one with their number, and what a throttled network does is sampled.

mod queue;

use chrono::{DateTime, Utc};
use service_process::lifecycle::Tasks;
use service_process::sources::Sources;

use crate::audit::{AuditFold, Entry, Event, FoldKey, Note, Origin, Subject};
use crate::limits::Sampler;
use crate::metrics::AUTH_EVENTS;
use crate::store::Store;
use queue::Queue;
use service_process::network::Network;

/// Takes what happens, and writes the audit trail in the background.
#[derive(Debug)]
pub struct Trail {
    queue: Queue,
    sources: Sources,
    fold: AuditFold,
    throttled: Sampler,
}

impl Trail {
    /// Starts to write. Ends when this is dropped and what was recorded is written, or when the process
    /// leaves.
    #[must_use]
    pub fn start(store: Store, sources: Sources, tasks: &Tasks) -> Self {
        Self {
            queue: Queue::start(store, tasks),
            sources,
            fold: AuditFold::default(),
            throttled: Sampler::default(),
        }
    }

    /// Counts an event and has its line written; a refusal that is one of many is folded.
    pub fn record(&self, event: Event, subject: Subject, origin: Origin, now: DateTime<Utc>) {
        let reason = event.reason().unwrap_or("");
        metrics::counter!(AUTH_EVENTS, "event" => event.name(), "reason" => reason).increment(1);
        let Subject { account, guard_key, network } = subject;
        // What succeeded always stands there.
        if let (Event::LoginFail(_), Some(guard_key)) = (event, guard_key)
            && self.fold.note(FoldKey { guard_key, network }, now) == Note::Fold
        {
            return;
        }
        let (id, count) = (self.sources.id(now), 1);
        self.queue.add(Entry { id, at: now, event, account, guard_key, count, origin });
    }

    /// Records that an attempt from a network was turned away unheard: once a minute for each network,
    /// and never when nobody knows the network.
    pub fn record_throttled(&self, network: Option<Network>, origin: Origin, now: DateTime<Utc>) {
        if network.is_some_and(|network| self.throttled.first_in_minute(network, now)) {
            let subject = Subject { network, ..Subject::default() };
            self.record(Event::LoginThrottled, subject, origin, now);
        }
    }

    /// Writes down what was folded in the hours that had ended at this time: at a stop, all.
    pub fn write_folded(&self, ended: DateTime<Utc>, now: DateTime<Utc>) {
        for (FoldKey { guard_key, network }, count) in self.fold.drain(ended) {
            let id = self.sources.id(now);
            let remote_ip = network.map(Network::address);
            let origin = Origin { remote_ip, ..Origin::default() };
            let (event, guard_key) = (Event::Folded, Some(guard_key));
            self.queue.add(Entry { id, at: now, event, account: None, guard_key, count, origin });
        }
    }
}
