//! The topics that are kept for minutes → this replica.

use std::sync::Arc;
use std::time::Duration;

use chrono::TimeDelta;
use service_process::sources::Sources;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use crate::kafka::{Cold, Recent, RecentItem, RecentRecord, ShortLived};
use crate::metrics;
use crate::presence::{Outcome, Presence, Record, RecordError};
use crate::typing::Typing;

/// Between two attempts to begin.
const BEGIN_AGAIN: Duration = Duration::from_secs(1);

/// Takes in what the replicas tell.
pub struct PresenceReader {
    /// Reads the topics.
    pub recent: Recent,
    /// Gets who is online.
    pub presence: Arc<Presence>,
    /// Gets who is typing.
    pub typing: Arc<Typing>,
    /// How far back it reads when it starts: whoever has told nothing since is not alive.
    pub look_back: TimeDelta,
    /// The time of day, by which the age of what is read at the start is told.
    pub sources: Sources,
}

impl PresenceReader {
    /// Reads until it is stopped. Without its topics the replica serves all the same, and waits for them.
    pub async fn run(self, stop: CancellationToken) -> anyhow::Result<()> {
        let mut cold = tokio::select! {
            () = stop.cancelled() => return Ok(()),
            cold = self.begin() => cold,
        };
        let mut is_cold = !cold.is_over();
        if !is_cold {
            self.presence.warm.cancel();
        }
        loop {
            let item = tokio::select! {
                () = stop.cancelled() => return Ok(()),
                item = self.recent.next() => item?,
            };
            match item {
                RecentItem::Record(record) => {
                    self.take(&record, is_cold);
                    if is_cold && cold.passed(&record) {
                        is_cold = false;
                        self.presence.warm.cancel();
                        tracing::info!("presence has come to the end of its topic");
                    }
                }
                RecentItem::Trouble(error) => {
                    tracing::warn!(%error, "presence and typing: the log is in trouble");
                }
            }
        }
    }

    async fn begin(&self) -> Cold {
        let mut is_told = false;
        loop {
            match self.recent.begin((self.sources.now)() - self.look_back).await {
                Ok(cold) => return cold,
                // Once: it may be like this for long.
                Err(error) if !std::mem::replace(&mut is_told, true) => {
                    tracing::error!(%error, "presence and typing cannot be read");
                }
                Err(_) => {}
            }
            sleep(BEGIN_AGAIN).await;
        }
    }

    fn take(&self, record: &RecentRecord, is_cold: bool) {
        let RecentRecord { topic, key, value, .. } = record;
        metrics::ephemeral_bytes(topic.label(), metrics::IN, value.len());
        let outcome = match topic {
            ShortLived::Ephemeral => self.typing.hear(value, Instant::now()),
            ShortLived::Presence => {
                let came = Instant::now();
                let age = if is_cold { self.age(record) } else { Duration::ZERO };
                self.hear(key, value, came.checked_sub(age).unwrap_or(came))
            }
        };
        metrics::ephemeral_read(topic.label(), outcome);
    }

    fn hear(&self, key: &[u8], value: &[u8], came: Instant) -> &'static str {
        // A key that is no text is none of a replica's.
        let record = str::from_utf8(key).ok().filter(|replica| !replica.is_empty());
        let record = record.map(|replica| (replica, Record::decode(value)));
        match record {
            Some((replica, Ok(record))) => match self.presence.hear(replica, record, came) {
                Outcome::Applied => "applied",
                Outcome::Collected => "collected",
                Outcome::Old => "old",
                Outcome::Gap => "gap",
                Outcome::Unknown => "unknown",
                Outcome::TooMany => "too_many",
                Outcome::Own => "own",
            },
            Some((_, Err(RecordError::Newer(_)))) => "unknown",
            Some((_, Err(RecordError::Malformed { .. }))) | None => "unreadable",
        }
    }

    /// How long ago the broker took a record, by this replica's clock: between nothing and what is read
    /// back. With another clock than the broker's it is wrong, until the next snapshot.
    fn age(&self, record: &RecentRecord) -> Duration {
        let age = record.taken_at.map(|taken_at| (self.sources.now)() - taken_at);
        let age = age.unwrap_or_default().clamp(TimeDelta::zero(), self.look_back);
        age.to_std().unwrap_or_default()
    }
}
