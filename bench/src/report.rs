//! What came out: a table for people, JSON for whoever compares.

use std::fmt::{self, Write as _};
use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use devstack::checkout;
use devstack::console::say;
use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::pin::Cores;
use crate::stats::Spread;

/// What a measure is held to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Goal {
    /// At least this.
    AtLeast(f64),
    /// At most this.
    AtMost(f64),
    /// Between the two, both included.
    Within(f64, f64),
    /// No goal: the measure is shown only.
    None,
}

impl Goal {
    fn is_met(self, value: f64) -> bool {
        match self {
            Self::AtLeast(least) => value >= least,
            Self::AtMost(most) => value <= most,
            Self::Within(least, most) => (least..=most).contains(&value),
            Self::None => true,
        }
    }
}

impl fmt::Display for Goal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtLeast(least) => write!(f, "≥ {least}"),
            Self::AtMost(most) => write!(f, "≤ {most}"),
            Self::Within(least, most) => write!(f, "{least} – {most}"),
            Self::None => Ok(()),
        }
    }
}

impl Serialize for Goal {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// One line of the table. A goal is met when the median meets it.
#[derive(Debug, Clone, Serialize)]
struct Measure {
    what: String,
    unit: &'static str,
    #[serde(flatten)]
    spread: Spread,
    rounds: usize,
    goal: Goal,
    met: bool,
}

/// Everything that one benchmark found.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    bench: String,
    /// What was checked out; with a `+` when files were changed since.
    commit: String,
    service_cores: String,
    caller_cores: String,
    measures: Vec<Measure>,
    /// What the figures do not show.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    notes: Vec<String>,
    /// Distributions and the like, which are no single number.
    details: serde_json::Map<String, Value>,
}

impl Report {
    pub(crate) fn new(bench: &str, cores: &Cores) -> Self {
        Self {
            bench: bench.to_owned(),
            commit: commit(),
            service_cores: cores.service.clone(),
            caller_cores: cores.callers.clone(),
            measures: Vec::new(),
            notes: Vec::new(),
            details: serde_json::Map::new(),
        }
    }

    /// Says which processors the service really had.
    pub(crate) fn service_had(&mut self, cores: &str) {
        cores.clone_into(&mut self.service_cores);
    }

    /// Adds what each round yielded, and shows it at once.
    pub(crate) fn rounds(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        values: &[f64],
        goal: Goal,
    ) -> Result<()> {
        let (what, spread) = (what.into(), Spread::of(values)?);
        let met = goal.is_met(spread.median);
        let measure = Measure { what, unit, spread, rounds: values.len(), goal, met };
        say(line(&measure));
        self.measures.push(measure);
        Ok(())
    }

    /// Adds what was measured once, over many samples.
    pub(crate) fn once(
        &mut self,
        what: impl Into<String>,
        unit: &'static str,
        value: f64,
        goal: Goal,
    ) -> Result<()> {
        self.rounds(what, unit, &[value], goal)
    }

    /// Adds what the figures do not show, and shows it at once.
    pub(crate) fn note(&mut self, note: &str) {
        say(note);
        self.notes.push(note.to_owned());
    }

    /// Adds a detail to the JSON: what is no single number.
    pub(crate) fn detail(&mut self, name: &str, value: impl Serialize) -> Result<()> {
        self.details.insert(name.to_owned(), serde_json::to_value(value)?);
        Ok(())
    }

    pub(crate) fn all_met(&self) -> bool {
        self.measures.iter().all(|measure| measure.met)
    }

    /// Prints the table.
    pub(crate) fn print(&self) {
        let Self { bench, commit, service_cores, caller_cores, .. } = self;
        let mut table = format!(
            "\n{bench} at {commit}; processors: service {service_cores}, callers and database {caller_cores}\n"
        );
        for measure in &self.measures {
            // Writing to a string cannot fail.
            let _ = writeln!(table, "{}", line(measure));
        }
        for note in &self.notes {
            let _ = writeln!(table, "{note}");
        }
        say(table);
    }

    /// Writes `docs/bench/NAME.json`.
    pub(crate) fn write(&self) -> Result<()> {
        let folder = checkout::root().join("docs/bench");
        fs::create_dir_all(&folder).context("docs/bench cannot be made")?;
        let file = folder.join(format!("{}.json", self.bench));
        let json = serde_json::to_string_pretty(self)? + "\n";
        fs::write(&file, json).with_context(|| format!("{} cannot be written", file.display()))?;
        say(format!("docs/bench/{}.json", self.bench));
        Ok(())
    }
}

fn line(measure: &Measure) -> String {
    let Measure { what, unit, spread, rounds, goal, met } = measure;
    let Spread { median, least, most } = spread;
    let range = match rounds {
        1 => String::new(),
        _ => format!("{least:.3} – {most:.3}"),
    };
    let verdict = match (goal, met) {
        (Goal::None, _) => "",
        (_, true) => "met",
        (_, false) => "MISSED",
    };
    let goal = goal.to_string();
    format!("{what:<52} {median:>10.3} {unit:<8} {range:<22} {goal:<12} {verdict}")
}

fn commit() -> String {
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(checkout::root()).output().ok()?;
        output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "HEAD"]) else { return "unknown".to_owned() };
    // The results of an earlier run are no change of what is measured.
    let changed = git(&["status", "--porcelain", "--", ".", ":!docs/bench"]);
    let mark = if changed.is_some_and(|changed| changed.is_empty()) { "" } else { "+" };
    commit + mark
}

#[cfg(test)]
#[path = "report_tests.rs"]
mod tests;
