//! What a command answers: a table for people, or a JSON object a line for machines.

use std::io::{self, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};
use clap::Args;
use serde::Serialize;

/// The form of the answer.
#[derive(Debug, Clone, Copy, Args)]
pub(super) struct OutputArgs {
    /// Answer with one JSON object a line.
    #[arg(long)]
    pub(super) json: bool,
}

/// Writes a line to standard output. An error means that nobody reads on.
pub(super) fn line(text: &str) -> io::Result<()> {
    writeln!(io::stdout().lock(), "{text}")
}

/// Writes a value as one line of JSON.
pub(super) fn json(value: &impl Serialize) -> anyhow::Result<()> {
    line(&serde_json::to_string(value)?)?;
    Ok(())
}

/// Writes rows as aligned columns under a heading.
pub(super) fn table(heading: &[&str], rows: &[Vec<String>]) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column)).map(|cell| cell.chars().count());
        cells.chain([heading[column].len()]).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..heading.len()).map(width).collect();
    let padded = |cells: &mut dyn Iterator<Item = &str>| {
        let cells = cells.zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
    };
    line(&padded(&mut heading.iter().copied()))?;
    for row in rows {
        line(&padded(&mut row.iter().map(|cell| shown(cell))))?;
    }
    Ok(())
}

/// A cell as it is; an empty one as a dash, so that columns can be told apart.
fn shown(cell: &str) -> &str {
    if cell.is_empty() { "–" } else { cell }
}

/// A time in UTC, to the second.
pub(super) fn time(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
