//! What is reported of a scenario, and how long is waited for it.

use std::time::Duration;

use crate::faults::figures::Figures;

/// A hang limit for what takes seconds: elections, sessions of a group, a thousand sockets.
pub(in crate::faults) const PATIENCE: Duration = Duration::from_secs(90);

/// What came of a scenario.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The figures.
    pub figures: Figures,
    /// What is not as promised, in words.
    pub findings: Vec<String>,
}
