//! Load that does not wait for answers.

use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

/// One call: its answer, and when it came.
#[derive(Debug, Clone, Copy)]
pub(crate) struct CallSample<T> {
    pub(crate) answer: T,
    /// From when it was due, not from when it was sent: a caller that is kept waiting waits too.
    pub(crate) latency: Duration,
    /// How much of that was over before it was sent: the caller's own fault.
    pub(crate) delay: Duration,
    /// When the answer came, from the beginning.
    pub(crate) at: Duration,
}

/// When calls are due: at a fixed rate from a moment on, however long answers take. So a server that
/// stalls is not spared the calls that would have come meanwhile (Gil Tene, "How NOT to Measure
/// Latency": coordinated omission).
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    start: Instant,
    per_second: f64,
    /// How many calls are due at the same moment.
    burst: u32,
    /// How many calls there are in all.
    pub(crate) count: u32,
}

impl Schedule {
    /// A schedule that begins now.
    pub(crate) fn from_now(per_second: f64, lasting: Duration) -> Self {
        let calls = per_second * lasting.as_secs_f64();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "nobody makes 2^32 calls, and none before the beginning"
        )]
        let count = calls.ceil() as u32;
        Self { start: Instant::now(), per_second, burst: 1, count }
    }

    /// The same rate, but with `burst` calls due at once.
    pub(crate) fn in_bursts(self, burst: u32) -> Self {
        Self { burst, ..self }
    }

    /// When a call is due.
    pub(crate) fn due(&self, n: u32) -> Instant {
        self.start + Duration::from_secs_f64(f64::from(n - n % self.burst) / self.per_second)
    }

    /// When the last one is due.
    pub(crate) fn end(&self) -> Instant {
        self.due(self.count)
    }

    /// Makes the calls, and waits for the last answer.
    pub(crate) async fn run<T, F>(self, mut call: impl FnMut(u32) -> F) -> Vec<CallSample<T>>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (mut calls, start) = (JoinSet::new(), self.start);
        for n in 0..self.count {
            let due = self.due(n);
            sleep_until(due).await;
            let called = call(n);
            calls.spawn(async move {
                let delay = due.elapsed();
                let answer = called.await;
                CallSample { answer, latency: due.elapsed(), delay, at: start.elapsed() }
            });
        }
        calls.join_all().await
    }
}

/// Makes `per_second` calls a second for the time `lasting`, however long answers take, and waits
/// for the last one.
pub(crate) async fn steady<T, F>(
    per_second: f64,
    lasting: Duration,
    call: impl FnMut(u32) -> F,
) -> Vec<CallSample<T>>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    Schedule::from_now(per_second, lasting).run(call).await
}

/// The 99th percentile of some latencies, in milliseconds.
pub(crate) fn p99_millis(latencies: impl Iterator<Item = Duration>) -> anyhow::Result<f64> {
    quantile_millis(0.99, latencies)
}

/// A quantile of some latencies, in milliseconds.
pub(crate) fn quantile_millis(
    quantile: f64,
    latencies: impl Iterator<Item = Duration>,
) -> anyhow::Result<f64> {
    // To a minute, on three digits.
    let mut histogram = hdrhistogram::Histogram::<u64>::new_with_bounds(1, 60_000_000, 3)?;
    for latency in latencies {
        histogram.record(u64::try_from(latency.as_micros())?)?;
    }
    let micros = Duration::from_micros(histogram.value_at_quantile(quantile));
    Ok(micros.as_secs_f64() * 1e3)
}

#[cfg(test)]
#[path = "load_tests.rs"]
mod tests;
