//! Log → hub: every partition, on every replica, without a group.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use service_process::admin::Condition;
use service_process::metrics::OutcomeCounter;
use service_process::telemetry::TRACED;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::field::Empty;
use tracing::{Span, info_span};

use crate::hub::{Hub, Taken};
use crate::kafka::{Item, LogError, ManualConsumer, Range, Trace};
use crate::message::{Event, Newer, Partition, Position};
use crate::metrics;
use crate::notices::Notices;
use crate::sockets::{SocketCommand, Sockets};

/// Between two questions to a log that does not answer.
const LOOK_AGAIN: Duration = Duration::from_millis(250);

/// The partitions that were not read to their end yet, and where that is.
type Cold = BTreeMap<Partition, Position>;

/// The reader that fills the hub.
pub struct FanOut {
    /// Reads the log.
    pub consumer: ManualConsumer,
    /// Where each partition begins.
    pub starts: Vec<(Partition, Start)>,
    /// Gets what is read.
    pub hub: Arc<Hub>,
    /// Offsets within which an id is a repeat.
    pub span: i64,
    /// Tells people of rooms that they do not hear.
    pub notices: Arc<Notices>,
    /// Who must begin anew when this reader must.
    pub sockets: Arc<Sockets>,
    /// Counts what is read, as [`metrics::FANOUT_RECORDS`].
    pub records: OutcomeCounter,
    /// Met while the hub is at the end of the log.
    pub condition: Condition,
    /// Cancelled by this reader when it has come to the end of every partition once: the rings are
    /// warm and sockets may be served.
    pub warm: CancellationToken,
    /// Cancelled when nothing is to be delivered any more.
    pub stop: CancellationToken,
}

/// Where reading a partition begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Start {
    /// From here on ids are known: a span before the ring.
    pub read: Position,
    /// From here on events are held: what is a repeat can be told.
    pub ring: Position,
    /// The end of the log when it was asked. Whoever has read up to there is warm: under load the
    /// client library never sees a fetch without records, and reports no end.
    pub end: Position,
}

impl Start {
    /// Two spans before the end, or where the log begins.
    #[must_use]
    pub fn of(range: Range, span: i64) -> Self {
        let back = |spans: i64| {
            let raw = range.end.raw().saturating_sub(span.saturating_mul(spans)).max(0);
            Position::from_raw(raw).unwrap_or(Position::FIRST).max(range.start)
        };
        let read = back(2);
        // Before the very first record nothing was ever said.
        let ring = if read.offset() == 0 { read } else { back(1) };
        Self { read, ring, end: range.end }
    }
}

impl FanOut {
    /// Reads until it is stopped.
    pub async fn run(self) -> anyhow::Result<()> {
        let reads: Vec<_> =
            self.starts.iter().map(|(partition, start)| (*partition, start.read)).collect();
        self.consumer.start(&reads)?;
        let mut cold: Cold =
            self.starts.iter().map(|(partition, start)| (*partition, start.end)).collect();
        let mut stopped = pin!(self.stop.cancelled());
        loop {
            let item = tokio::select! {
                () = &mut stopped => return Ok(()),
                item = self.consumer.next() => item?,
            };
            match item {
                Item::Event(event, trace) => {
                    // What is read at the start was delivered long ago.
                    let trace = trace.filter(|_| !cold.contains_key(&event.partition));
                    self.deliver(&event, trace.as_ref());
                    self.passed(&mut cold, event.partition);
                }
                Item::End(partition) => self.end(&mut cold, partition),
                // The archive's reader keeps it as a dead letter.
                Item::Undecodable(raw, reason) => {
                    let (partition, offset) = (raw.partition, raw.position.offset());
                    tracing::warn!(%partition, offset, %reason, "fan-out: a record is skipped");
                    self.records.count("undecodable");
                    self.hub.skip(partition, raw.position);
                    self.passed(&mut cold, partition);
                }
                Item::Newer { partition, position, newer } => {
                    self.pass_over(partition, position, &newer);
                    self.passed(&mut cold, partition);
                }
                Item::OutOfRange => tokio::select! {
                    () = self.stop.cancelled() => return Ok(()),
                    found = self.restart_lost(&mut cold) => found?,
                },
                Item::Trouble(error) => tracing::warn!(%error, "fan-out: the log is in trouble"),
            }
        }
    }

    fn deliver(&self, event: &Event, trace: Option<&Trace>) {
        let span = trace.map_or_else(Span::none, |trace| trace.continued_by(span()));
        let outcome = match self.hub.take(event) {
            Taken::New => "new",
            Taken::Repeat => "repeat",
            Taken::Void => "void",
        };
        span.record("outcome", outcome);
        self.records.count(outcome);
        if outcome == "new" {
            self.notices.follow(event, &self.hub);
        }
    }

    /// What only a later release understands is an event for nobody here. If it is critical, what this
    /// release knows of the room is wrong from here on: nobody is told any more of it by this replica.
    fn pass_over(&self, partition: Partition, position: Position, Newer { room_id, head }: &Newer) {
        self.records.count("newer");
        if !head.critical {
            return self.hub.skip(partition, position);
        }
        if self.hub.unload(partition, position, room_id) {
            let (offset, kind, version) = (position.offset(), &head.kind, head.version);
            tracing::error!(
                %partition, offset, kind, version,
                "fan-out: a room waits for a later release of this program"
            );
            ::metrics::gauge!(metrics::UNLOADED_ROOMS).increment(1.0);
        }
    }

    fn passed(&self, cold: &mut Cold, partition: Partition) {
        if cold.get(&partition).is_some_and(|end| *end <= self.hub.head(partition)) {
            self.end(cold, partition);
        }
    }

    fn end(&self, cold: &mut Cold, partition: Partition) {
        if cold.remove(&partition).is_some() && cold.is_empty() {
            tracing::info!(
                partitions = self.starts.len(),
                "fan-out has come to the end of the log"
            );
            self.condition.met();
            self.sockets.withdraw(SocketCommand::Resync);
            self.warm.cancel();
        }
    }

    /// The log does not hold the place of some partition any more: it was cut off on either side, or
    /// made anew. Sockets go on by cursor, when the rings are warm again or elsewhere.
    async fn restart_lost(&self, cold: &mut Cold) -> Result<(), LogError> {
        self.condition.unmet("the log was cut off: reading it anew");
        ::metrics::counter!(metrics::FANOUT_RESTARTS).increment(1);
        self.sockets.tell_all(SocketCommand::Resync);
        let mut reads = Vec::with_capacity(self.starts.len());
        for (partition, range) in self.ranges().await {
            let head = self.hub.head(partition);
            // Every partition is read anew, so each comes to its end once more.
            let was_warm = cold.insert(partition, range.end).is_none();
            if was_warm && range.start <= head && head <= range.end {
                reads.push((partition, head));
                continue;
            }
            let start = Start::of(range, self.span);
            tracing::error!(
                %partition, was = head.offset(), ?range, "fan-out: its place is not in the log"
            );
            self.hub.restart(partition, start.ring);
            reads.push((partition, start.read));
        }
        self.consumer.start(&reads)
    }

    async fn ranges(&self) -> Vec<(Partition, Range)> {
        loop {
            match self.consumer.ranges().await {
                Ok(ranges) => return ranges,
                Err(error) => tracing::warn!(%error, "fan-out: the log is in trouble"),
            }
            sleep(LOOK_AGAIN).await;
        }
    }
}

/// The span in which an event comes to those who hear its room.
fn span() -> Span {
    info_span!(target: TRACED, "deliver", otel.kind = "consumer", outcome = Empty)
}

#[cfg(test)]
#[path = "fan_out_tests.rs"]
mod tests;
