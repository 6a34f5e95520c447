//! Somebody who wants to know which names exist, and has nothing to go by but the time of answers.

use std::time::Duration;

use anyhow::{Context as _, Result};
use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};
use tokio::time::{Instant, sleep_until};

use super::field::Field;
use crate::caller::Attempt;
use crate::imported;
use crate::report::{Goal, Report};
use crate::stats::{Proportion, Threshold, count};

/// The prefix of the names that have accounts; a number follows.
pub(super) const KNOWN: &str = "prober";

/// The prefix of as long names that nobody has; a number follows.
const UNKNOWN: &str = "absent";

/// How often a pair of names is tried: 1,200 pairs in half an hour, half of which tell an accuracy
/// to 3 in 100.
const EVERY: Duration = Duration::from_millis(1500);

/// What was heard: the seconds that answers to a known and to an unknown name took.
#[derive(Debug, Default)]
pub(super) struct Probes {
    pairs: Vec<(f64, f64)>,
    unanswered: usize,
}

/// The most pairs that are tried in this time, and so how many accounts are needed.
pub(super) fn most_pairs(lasting: Duration) -> u32 {
    u32::try_from(lasting.as_millis() / EVERY.as_millis()).unwrap_or(u32::MAX)
}

/// Tries fresh names, each once and from elsewhere, until the attack is over.
pub(super) async fn listen(field: &Field) -> Probes {
    let (mut probes, mut order) = (Probes::default(), StdRng::seed_from_u64(2));
    let mut due = Instant::now();
    for n in 1..=most_pairs(field.end - field.start) {
        due += EVERY;
        if due >= field.end {
            break;
        }
        sleep_until(due).await;
        let known_first: bool = order.random();
        let (first, second) = if known_first { (KNOWN, UNKNOWN) } else { (UNKNOWN, KNOWN) };
        let times = (seconds(field, first, n).await, seconds(field, second, n).await);
        match times {
            (Some(first), Some(second)) if known_first => probes.pairs.push((first, second)),
            (Some(first), Some(second)) => probes.pairs.push((second, first)),
            _ => probes.unanswered += 1,
        }
    }
    probes
}

/// How long the answer took; `None` when the replica was busy, which has nothing to do with the name.
async fn seconds(field: &Field, prefix: &str, n: u32) -> Option<f64> {
    let attempt = Attempt::new(&imported::name(prefix, n), "a wrong guess", field.networks.next());
    let start = Instant::now();
    let answer = attempt.send(field.replica(n)).await;
    answer.is_ok().then(|| start.elapsed().as_secs_f64())
}

impl Probes {
    /// Learns a threshold from one half of the pairs and says how often it is right on the other.
    pub(super) fn tell(&self, report: &mut Report) -> Result<()> {
        let half = |odd: usize| -> (Vec<f64>, Vec<f64>) {
            self.pairs.iter().skip(odd).step_by(2).copied().unzip()
        };
        let ((known, unknown), (test_known, test_unknown)) = (half(0), half(1));
        let threshold = Threshold::learn(&known, &unknown).context("no answer was heard")?;
        let of = test_known.len() + test_unknown.len();
        let accuracy = Proportion::wilson(threshold.hits(&test_known, &test_unknown), of);
        let what = "known or unknown by time";
        report.once("pairs of names heard", "", count(self.pairs.len()), Goal::None)?;
        report.once("pairs unanswered", "", count(self.unanswered), Goal::None)?;
        report.once(format!("{what}: accuracy"), "share", accuracy.share, Goal::None)?;
        report.once(format!("{what}: 95 %, from"), "share", accuracy.low, Goal::AtMost(0.5))?;
        report.once(format!("{what}: 95 %, to"), "share", accuracy.high, Goal::AtLeast(0.5))
    }
}
