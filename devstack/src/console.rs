//! What the commands say: standard output, one line at a time.

use std::io::{IsTerminal as _, Write as _, stdout};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};

/// Long steps show that they live this often.
const SIGN_OF_LIFE: Duration = Duration::from_secs(15);

/// Writes one line. Nobody reading any more is no reason to fail.
pub fn say(line: impl AsRef<str>) {
    let _ = writeln!(stdout(), "{}", line.as_ref());
}

/// Writes one line of a part, its name in front, in colour on a terminal.
pub(crate) fn say_of(part: &str, line: &str) {
    if stdout().is_terminal() {
        let colour = 31 + part.bytes().map(u32::from).sum::<u32>() % 6;
        say(format!("\x1b[{colour}m{part:>10}\x1b[0m | {line}"));
    } else {
        say(format!("{part:>10} | {line}"));
    }
}

/// Runs a step, saying that it began, that it goes on, and how it ended.
pub async fn step<T>(
    name: &str,
    work: impl Future<Output = anyhow::Result<T>>,
) -> anyhow::Result<T> {
    let start = Instant::now();
    let mut ticks = interval_at(start + SIGN_OF_LIFE, SIGN_OF_LIFE);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    say(format!("{name} …"));
    let mut work = std::pin::pin!(work);
    let outcome = loop {
        tokio::select! {
            outcome = &mut work => break outcome,
            _ = ticks.tick() => say(format!("{name} … {} s", start.elapsed().as_secs())),
        }
    };
    let seconds = start.elapsed().as_secs_f32();
    match &outcome {
        Ok(_) => say(format!("{name}: done in {seconds:.1} s")),
        Err(_) => say(format!("{name}: failed after {seconds:.1} s")),
    }
    outcome
}
