//! Waiting: for an end, or for a condition, and never for ever.

use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use tokio::time::{Instant, sleep, timeout};

/// Hang limits are no promises of speed: everything here takes milliseconds, except a server that
/// is just starting on a loaded machine.
pub const HANG: Duration = Duration::from_secs(30);

const PAUSE: Duration = Duration::from_millis(50);

/// Waits for an end, at most [`HANG`].
pub async fn within<T>(what: &str, work: impl Future<Output = Result<T>>) -> Result<T> {
    // On the heap: a wait holds whatever is waited for, and waits are nested.
    match timeout(HANG, Box::pin(work)).await {
        Ok(outcome) => outcome.map_err(|error| error.context(what.to_owned())),
        Err(_) => bail!("{what}: no end after {} s", HANG.as_secs()),
    }
}

/// Tries until it succeeds, at most [`HANG`]; then tells what was seen last.
pub async fn until<T>(what: &str, attempt: impl AsyncFnMut() -> Result<T>) -> Result<T> {
    until_after(HANG, what, attempt).await
}

/// The same with another hang limit.
pub async fn until_after<T>(
    limit: Duration,
    what: &str,
    mut attempt: impl AsyncFnMut() -> Result<T>,
) -> Result<T> {
    let deadline = Instant::now() + limit;
    let mut seen = anyhow!("the first attempt did not end");
    while let Ok(outcome) = tokio::time::timeout_at(deadline, attempt()).await {
        match outcome {
            Ok(value) => return Ok(value),
            Err(error) => seen = error,
        }
        if Instant::now() >= deadline {
            break;
        }
        sleep(PAUSE).await;
    }
    Err(seen.context(format!("{what}: not within {} s; seen last", limit.as_secs())))
}
