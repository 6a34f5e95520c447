//! Load that does not wait for answers.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// What came of one call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample<T> {
    pub(crate) answer: T,
    /// From when it was due, not from when it was sent: a caller that is kept waiting waits too.
    pub(crate) latency: Duration,
    /// How much of that was over before it was sent: the caller's own fault.
    pub(crate) delay: Duration,
    /// When the answer came, from the beginning.
    pub(crate) at: Duration,
}

/// Calls so often a second for so long, however long answers take, and waits for the last one.
pub(crate) async fn steady<T, F>(
    per_second: f64,
    lasting: Duration,
    mut call: impl FnMut(u32) -> F,
) -> Vec<Sample<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let (mut calls, start) = (JoinSet::new(), Instant::now());
    for n in 0.. {
        let offset = Duration::from_secs_f64(f64::from(n) / per_second);
        if offset >= lasting {
            break;
        }
        let due = start + offset;
        sleep_until(due).await;
        let called = call(n);
        calls.spawn(async move {
            let delay = due.elapsed();
            let answer = called.await;
            Sample { answer, latency: due.elapsed(), delay, at: start.elapsed() }
        });
    }
    calls.join_all().await
}

/// The 99th percentile of some latencies, in milliseconds.
pub(crate) fn p99_millis(latencies: impl Iterator<Item = Duration>) -> anyhow::Result<f64> {
    // To a minute, on three digits.
    let mut histogram = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
    for latency in latencies {
        histogram.record(u64::try_from(latency.as_micros())?)?;
    }
    let micros = Duration::from_micros(histogram.value_at_quantile(0.99));
    Ok(micros.as_secs_f64() * 1e3)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
