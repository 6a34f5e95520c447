//! Definitions of metrics: each name with its type, unit, labels and meaning.
//!
//! A service lists its metrics as constants. They are described to Prometheus by [`describe`], and
//! its tests compare them with dashboards, alerts and documents.

use ::metrics::Counter;
pub use ::metrics::Unit;

use crate::telemetry;

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, from 0 at each start.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Observations, counted in buckets by size.
    Histogram,
}

/// The definition of one metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name in Prometheus.
    pub name: &'static str,
    /// Its type.
    pub kind: Kind,
    /// The unit of its values.
    pub unit: Unit,
    /// The names of its labels.
    pub labels: Labels,
    /// One sentence for operators.
    pub help: &'static str,
}

/// The names of a metric's labels.
pub type Labels = &'static [&'static str];

impl Metric {
    /// A counter.
    #[must_use]
    pub const fn counter(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, unit: Unit::Count, labels, help }
    }

    /// A gauge of a number of things.
    #[must_use]
    pub const fn gauge(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, unit: Unit::Count, labels, help }
    }

    /// A gauge in seconds: an age, or a time as seconds since 1970.
    #[must_use]
    pub const fn seconds(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, unit: Unit::Seconds, labels, help }
    }

    /// A histogram of durations in seconds.
    #[must_use]
    pub const fn timed(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, unit: Unit::Seconds, labels, help }
    }

    /// A histogram of sizes, such as the records of a batch.
    #[must_use]
    pub const fn sized(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, unit: Unit::Count, labels, help }
    }
}

/// A counter with one label that has nearly always the same value: the handle of that one is kept. To look
/// one up costs as much as counting many times.
pub struct OutcomeCounter {
    name: &'static str,
    label: &'static str,
    usual: (&'static str, Counter),
}

impl OutcomeCounter {
    /// The counter of that name with that label, and the value that is usual. Only after [`describe`].
    #[must_use]
    pub fn new(name: &'static str, label: &'static str, usual: &'static str) -> Self {
        Self { name, label, usual: (usual, ::metrics::counter!(name, &[(label, usual)])) }
    }

    /// Counts one with that value of the label.
    pub fn count(&self, value: &'static str) {
        let (usual, counter) = &self.usual;
        if value == *usual {
            counter.increment(1);
        } else {
            ::metrics::counter!(self.name, &[(self.label, value)]).increment(1);
        }
    }
}

/// Opens the registry and describes every name to it. Before that nothing may be counted, nor a handle
/// be looked up to count with: both would go to nobody for as long as the process lives. Counters
/// without labels begin at 0 here, so that an alert sees their first event as an increase.
pub fn describe(all: &[Metric]) {
    drop(telemetry::metrics());
    for Metric { name, kind, unit, labels, help } in all.iter().copied() {
        match kind {
            Kind::Counter => ::metrics::describe_counter!(name, unit, help),
            Kind::Gauge => ::metrics::describe_gauge!(name, unit, help),
            Kind::Histogram => ::metrics::describe_histogram!(name, unit, help),
        }
        if kind == Kind::Counter && labels.is_empty() {
            ::metrics::counter!(name).increment(0);
        }
    }
}
