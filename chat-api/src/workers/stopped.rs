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
    reasons: BTreeMap<Partition, String>,
}

impl Stopped {
    /// Nothing is stopped yet; the condition stays as it is.
    #[must_use]
    pub fn new(reader: &'static str, topic: String, condition: Condition) -> Self {
        Self { reader, topic, condition, reasons: BTreeMap::new() }
    }

    /// Notes that a partition stopped at a position, and why.
    pub fn at(&mut self, partition: Partition, position: Position, reason: &dyn std::fmt::Display) {
        let offset = position.offset();
        let (reader, topic) = (self.reader, &self.topic);
        let place = format!("{topic} partition {partition} offset {offset}: {reason}");
        if self.reasons.get(&partition) == Some(&place) {
            return;
        }
        tracing::error!(reader, topic, %partition, offset, %reason, "a partition stopped");
        self.reasons.insert(partition, place);
        self.show();
    }

    /// Forgets partitions that go on, or are another process's now.
    pub fn forget(&mut self, partitions: &[Partition]) {
        let before = self.reasons.len();
        self.reasons.retain(|partition, _| !partitions.contains(partition));
        if self.reasons.len() != before {
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
        ::metrics::gauge!(metrics::STOPPED_PARTITIONS, "reader" => self.reader)
            .set(self.reasons.len() as f64);
        if self.reasons.is_empty() {
            self.condition.met();
        } else {
            let reasons: Vec<&str> = self.reasons.values().map(String::as_str).collect();
            self.condition.met_but(format!("stopped: {}", reasons.join("; ")));
        }
    }
}
