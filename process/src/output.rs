//! The answer of a command on standard output: a table for people, or a JSON object a line for machines.
//! Logs go to standard error ([`telemetry`](crate::telemetry)).

use std::io::{self, IsTerminal as _, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde::Serialize;

/// The longest cell on a terminal, in characters: an id takes 36, and three such columns fit a
/// screen. Where nobody looks on, nothing is cut.
const LONGEST_CELL: usize = 40;

/// The form of the answer.
#[derive(Debug, Clone, Copy, Args)]
pub struct OutputArgs {
    /// Answer with one JSON object a line.
    #[arg(long)]
    pub json: bool,
}

/// Writes a line to standard output. An error means that nobody reads on.
pub fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Writes a value as one line of JSON.
pub fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?)?;
    Ok(())
}

/// Whether an error is that nobody reads standard output any more, as behind `| head`.
#[must_use]
pub(crate) fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is_broken = |error: &io::Error| error.kind() == io::ErrorKind::BrokenPipe;
    error.downcast_ref().is_some_and(is_broken)
}

/// Writes names with their values, one pair a line.
pub fn facts(facts: &[(&str, String)]) -> io::Result<()> {
    facts.iter().try_for_each(|(name, value)| line(&format!("{name:17}{}", shown(value))))
}

/// A table with aligned columns, which can be added to.
#[derive(Debug)]
pub struct Columns {
    widths: Vec<usize>,
    longest: usize,
}

impl Columns {
    /// Writes a heading and rows under it.
    pub fn begin(heading: &[&str], rows: &[Vec<String>]) -> io::Result<Self> {
        let longest = if io::stdout().is_terminal() { LONGEST_CELL } else { usize::MAX };
        let width = |column: usize| {
            let cells = rows.iter().filter_map(|row| row.get(column));
            let widths = cells.map(|cell| cell.chars().count().min(longest));
            widths.chain([heading[column].len()]).max().unwrap_or(0)
        };
        let columns = Self { widths: (0..heading.len()).map(width).collect(), longest };
        columns.write(heading)?;
        for row in rows {
            columns.write(row)?;
        }
        Ok(columns)
    }

    /// Writes one more row.
    pub fn write(&self, row: &[impl AsRef<str>]) -> io::Result<()> {
        let cell = |(cell, width): (_, &usize)| {
            let cell = cut(shown(AsRef::<str>::as_ref(cell)), self.longest);
            format!("{cell:width$}")
        };
        let cells: Vec<_> = row.iter().zip(&self.widths).map(cell).collect();
        line(cells.join("  ").trim_end())
    }
}

/// A cell as it is; an empty one as a dash, so that every column has something in it.
fn shown(cell: &str) -> &str {
    if cell.is_empty() { "–" } else { cell }
}

fn cut(cell: &str, longest: usize) -> String {
    if cell.chars().count() <= longest {
        return cell.to_owned();
    }
    cell.chars().take(longest - 1).chain(['…']).collect()
}

/// A time in UTC, to the second.
#[must_use]
pub fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}

#[cfg(test)]
#[path = "output_tests.rs"]
mod tests;
