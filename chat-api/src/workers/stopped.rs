//! Partitions that cannot go on.

use std::collections::BTreeMap;

use service_process::admin::Condition;

use crate::message::{Partition, Position};
use crate::metrics;

/// The partitions of one reader that stopped at a record. The process is ready all the same, for
/// what it serves does not need them; its condition says where each of them stands.
pub struct Stopped {
    reader: &'static str,
    topic: String,
    condition: Condition,
    places: BTreeMap<Partition, (StopReason, String)>,
}

/// What a partition waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopReason {
    /// An operator: its progress is no place in the log.
    Lost,
    /// The topic of dead letters.
    DeadLetters,
    /// A later release of this program.
    Newer,
    /// An operator: MongoDB does not take what came of a proposal.
    Refused,
}

impl StopReason {
    const ALL: [Self; 4] = [Self::Lost, Self::DeadLetters, Self::Newer, Self::Refused];

    /// The class for metrics.
    fn class(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::DeadLetters => "dead_letters",
            Self::Newer => "newer",
            Self::Refused => "refused",
        }
    }
}

impl Stopped {
    /// Nothing is stopped yet; the condition stays as it is.
    #[must_use]
    pub fn new(reader: &'static str, topic: String, condition: Condition) -> Self {
        Self { reader, topic, condition, places: BTreeMap::new() }
    }

    /// Notes that a partition stopped at a position, and why.
    pub fn at(
        &mut self,
        partition: Partition,
        position: Position,
        why: StopReason,
        reason: &dyn std::fmt::Display,
    ) {
        let offset = position.offset();
        let (reader, topic) = (self.reader, &self.topic);
        let place = format!("{topic} partition {partition} offset {offset}: {reason}");
        if self.places.get(&partition).is_some_and(|(_, known)| *known == place) {
            return;
        }
        let class = why.class();
        tracing::error!(reader, topic, %partition, offset, class, %reason, "a partition stopped");
        self.places.insert(partition, (why, place));
        self.show();
    }

    /// Forgets partitions that go on, or are another process's now.
    pub fn forget(&mut self, partitions: &[Partition]) {
        let before = self.places.len();
        self.places.retain(|partition, _| !partitions.contains(partition));
        if self.places.len() != before {
            tracing::info!(
                reader = self.reader,
                ?partitions,
                "partitions are not stopped any more"
            );
            self.show();
        }
    }

    /// Says how the reader does, now that it runs.
    #[expect(clippy::cast_precision_loss, reason = "metrics are floating point")]
    pub fn show(&self) {
        for wanted in StopReason::ALL {
            let count = self.places.values().filter(|(why, _)| *why == wanted).count();
            let labels = [("reader", self.reader), ("why", wanted.class())];
            ::metrics::gauge!(metrics::STOPPED_PARTITIONS, &labels).set(count as f64);
        }
        if self.places.is_empty() {
            self.condition.met();
        } else {
            let reasons: Vec<&str> =
                self.places.values().map(|(_, place)| place.as_str()).collect();
            self.condition.met_but(format!("stopped: {}", reasons.join("; ")));
        }
    }
}
