//! Partitions that cannot go on.

use std::collections::BTreeMap;

use service_process::admin::Condition;

use crate::message::{Partition, Position};

/// The partitions that one reader stopped at a record it must not pass. While there is one the
/// process is not ready, and says where it stands.
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
        tracing::error!(reader, topic, %partition, offset, %reason, "a partition stopped");
        metrics::counter!("chat_stopped_partitions_total", "reader" => reader).increment(1);
        let place = format!("{topic} partition {partition} offset {offset}: {reason}");
        self.reasons.insert(partition, place);
        self.show();
    }

    /// Forgets partitions that are another process's now.
    pub fn forget(&mut self, partitions: &[Partition]) {
        let before = self.reasons.len();
        self.reasons.retain(|partition, _| !partitions.contains(partition));
        if self.reasons.len() != before {
            self.show();
        }
    }

    /// Whether a partition is stopped.
    #[must_use]
    pub fn contains(&self, partition: Partition) -> bool {
        self.reasons.contains_key(&partition)
    }

    /// Says whether the reader can do its work, now that it runs.
    pub fn show(&self) {
        if self.reasons.is_empty() {
            self.condition.met();
        } else {
            let reasons: Vec<&str> = self.reasons.values().map(String::as_str).collect();
            self.condition.unmet(format!("stopped: {}", reasons.join("; ")));
        }
    }
}
