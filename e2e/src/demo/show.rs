//! What a demo prints: steps with their times, and lines below them.

use std::time::Duration;

use anyhow::Result;
use serde_json::Value;
use tokio::time::Instant;

use crate::wait::within;

/// Does one step and tells how long it took; the error names the step.
pub(super) async fn step<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    let start = Instant::now();
    let done = within(&format!("failed step: {what}"), work).await?;
    say(&format!("{:>8.1} ms {what}", millis(start.elapsed())));
    Ok(done)
}

/// Shows some JSON below a step.
pub(super) fn show(title: &str, value: &Value) {
    say(&format!("            {title}:"));
    for line in format!("{value:#}").lines() {
        say(&format!("              {line}"));
    }
}

/// A time in milliseconds.
pub(super) fn millis(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}

/// A line as it is.
#[expect(clippy::print_stdout, reason = "a demo is for reading")]
pub(super) fn say(line: &str) {
    println!("{line}");
}
