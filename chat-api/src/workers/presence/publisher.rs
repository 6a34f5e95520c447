//! This replica → the topic with presence.

use std::sync::Arc;
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use crate::guests::Guests;
use crate::kafka::{EphemeralProducer, ShortLived};
use crate::metrics;
use crate::presence::Presence;

/// Between two looks at what changed: so many changes go together.
const TICK: Duration = Duration::from_secs(1);
/// What the last record may take at a stop. Without it the others wait until this replica was silent for
/// long enough.
const LAST_RECORD: Duration = Duration::from_secs(1);

/// Tells the other replicas who is online here.
pub struct PresencePublisher {
    /// Who is online.
    pub presence: Arc<Presence>,
    /// Writes to the topic.
    pub producer: Arc<EphemeralProducer>,
    /// How many guests are here.
    pub guests: Arc<Guests>,
    /// What this replica is called there.
    pub replica: String,
}

impl PresencePublisher {
    /// Tells until it is stopped, and then that this was all.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut ticks = interval(TICK);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = stop.cancelled() => break,
                _ = ticks.tick() => {}
            }
            for record in self.presence.due(Instant::now(), self.guests.count()) {
                self.offer(&record.encode());
            }
            let (counts, peers) = self.presence.counts();
            metrics::online(counts.signed_in, counts.guests, peers);
        }
        self.offer(&self.presence.farewell().encode());
        let producer = self.producer;
        tokio::task::spawn_blocking(move || producer.flush(LAST_RECORD)).await?;
        Ok(())
    }

    fn offer(&self, value: &[u8]) {
        // One that is dropped is a gap to the others, which the next snapshot closes.
        self.producer.offer(ShortLived::Presence, &self.replica, value);
    }
}
