//! What a program counts: each name with its meaning.
//!
//! A service lists its metrics as constants. They are described to Prometheus by [`describe`], and
//! its tests compare them with dashboards, alerts and documents.

pub use ::metrics::Unit;

/// How values behave.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only rises, from 0 at each start.
    Counter,
    /// Rises and falls.
    Gauge,
    /// Is counted by size.
    Histogram,
}

/// One name.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    /// The name in Prometheus.
    pub name: &'static str,
    /// How values behave.
    pub kind: Kind,
    /// What a value is measured in.
    pub unit: Unit,
    /// The names of its labels.
    pub labels: Labels,
    /// One sentence for operators.
    pub help: &'static str,
}

/// The names of a metric's labels.
pub type Labels = &'static [&'static str];

impl Metric {
    /// Something that is counted.
    #[must_use]
    pub const fn counter(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Counter, unit: Unit::Count, labels, help }
    }

    /// A number of things.
    #[must_use]
    pub const fn gauge(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, unit: Unit::Count, labels, help }
    }

    /// A time.
    #[must_use]
    pub const fn seconds(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Gauge, unit: Unit::Seconds, labels, help }
    }

    /// How long something takes.
    #[must_use]
    pub const fn timed(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, unit: Unit::Seconds, labels, help }
    }

    /// How many there are in each of something.
    #[must_use]
    pub const fn sized(name: &'static str, labels: Labels, help: &'static str) -> Self {
        Self { name, kind: Kind::Histogram, unit: Unit::Count, labels, help }
    }
}

/// Describes every name to the registry, which must be open. Counters without labels begin at 0
/// here, so that an alert sees their first event as an increase.
pub fn describe(all: &[Metric]) {
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
