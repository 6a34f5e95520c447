//! Log → hub: every partition, on every replica, without a group.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::bail;
use tokio_util::sync::CancellationToken;

use super::Stopped;
use crate::hub::Hub;
use crate::kafka::{HandConsumer, Item, Range};
use crate::message::{Cursor, Event, Partition, Position};
use crate::metrics;

/// How an event leaves the process: encoded, and how many bytes that is. The second argument is the
/// room's previous cursor, if it is known.
pub type Encode<F> = fn(&Event, Option<Cursor>) -> (F, usize);

/// The reader that fills the hub.
pub struct FanOut<F> {
    /// Reads the log.
    pub consumer: HandConsumer,
    /// Where each partition begins, which is where the hub's rings begin.
    pub starts: Vec<(Partition, Position)>,
    /// Where to.
    pub hub: Arc<Hub<F>>,
    /// In which form.
    pub encode: Encode<F>,
    /// Partitions that cannot go on.
    pub stopped: Stopped,
    /// Cancelled by this reader when it has come to the end of every partition once: the rings are
    /// warm and sockets may be served.
    pub warm: CancellationToken,
    /// Cancelled when nothing is to be delivered any more.
    pub stop: CancellationToken,
}

/// Where to begin, so that a ring holds up to `window` records from the start.
#[must_use]
pub fn start(range: Range, window: i64) -> Position {
    let back = Position::from_raw((range.end.raw() - window).max(0)).unwrap_or(Position::FIRST);
    back.max(range.start)
}

impl<F: Clone + Send + 'static> FanOut<F> {
    /// Reads until it is stopped.
    pub async fn run(self) -> anyhow::Result<()> {
        self.consumer.start(&self.starts)?;
        let mut cold: BTreeSet<Partition> =
            self.starts.iter().map(|(partition, _)| *partition).collect();
        loop {
            let item = tokio::select! {
                () = self.stop.cancelled() => return Ok(()),
                item = self.consumer.next() => item?,
            };
            match item {
                Item::Event(event) => self.deliver(&event),
                Item::End(partition) => self.end(&mut cold, partition),
                // The archive's reader keeps it as a dead letter.
                Item::Undecodable(raw, reason) => {
                    let (partition, offset) = (raw.partition, raw.position.offset());
                    tracing::warn!(%partition, offset, %reason, "fan-out: a record is skipped");
                    ::metrics::counter!(metrics::FANOUT_SKIPPED).increment(1);
                }
                Item::OutOfRange => bail!(
                    "fan-out: a position lies outside the log; starting anew finds a place in it"
                ),
                Item::Trouble(error) => tracing::warn!(%error, "fan-out: the log is in trouble"),
            }
        }
    }

    fn deliver(&self, event: &Event) {
        let Event { partition, position, envelope } = event;
        self.hub.push(*partition, *position, &envelope.room_id, |previous| {
            let previous = previous.map(|position| Cursor { partition: *partition, position });
            (self.encode)(event, previous)
        });
        ::metrics::counter!(metrics::FANOUT_EVENTS).increment(1);
    }

    fn end(&self, cold: &mut BTreeSet<Partition>, partition: Partition) {
        if cold.remove(&partition) && cold.is_empty() {
            tracing::info!(
                partitions = self.starts.len(),
                "fan-out has come to the end of the log"
            );
            self.stopped.show();
            self.warm.cancel();
        }
    }
}
