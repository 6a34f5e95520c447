//! Statistics of samples.

use anyhow::{Context as _, Result};
use serde::Serialize;

/// The spread of what several rounds yielded.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Spread {
    /// The median.
    pub(crate) median: f64,
    /// The smallest.
    pub(crate) least: f64,
    /// The largest.
    pub(crate) most: f64,
}

impl Spread {
    /// The spread of these values, of which there must be one.
    pub(crate) fn of(values: &[f64]) -> Result<Self> {
        let sorted = sorted(values);
        let (least, most) = sorted.first().zip(sorted.last()).context("no round was measured")?;
        Ok(Self { median: middle(&sorted), least: *least, most: *most })
    }
}

/// The median; 0 of nothing.
pub(crate) fn median(values: &[f64]) -> f64 {
    middle(&sorted(values))
}

fn sorted(values: &[f64]) -> Vec<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
}

fn middle(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    match sorted.len() {
        0 => 0.0,
        even if even % 2 == 0 => f64::midpoint(sorted[half - 1], sorted[half]),
        _ => sorted[half],
    }
}

/// A two-sample Kolmogorov–Smirnov test.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Ks {
    /// The largest distance between the two distribution functions.
    pub(crate) distance: f64,
    /// How likely that distance, or a larger one, is when both samples are of one distribution.
    pub(crate) p: f64,
}

/// Whether two samples look like those of one distribution. Without samples they do not.
pub(crate) fn kolmogorov_smirnov(one: &[f64], other: &[f64]) -> Ks {
    if one.is_empty() || other.is_empty() {
        return Ks { distance: 1.0, p: 0.0 };
    }
    let (one, other) = (sorted(one), sorted(other));
    let (mut i, mut j, mut distance) = (0, 0, 0.0_f64);
    while i < one.len() && j < other.len() {
        // Past all that is equal in both, or a tie would look like a difference.
        let at = one[i].min(other[j]);
        i += one[i..].partition_point(|value| *value <= at);
        j += other[j..].partition_point(|value| *value <= at);
        distance = distance.max((share(i, one.len()) - share(j, other.len())).abs());
    }
    let (n, m) = (count(one.len()), count(other.len()));
    Ks { distance, p: kolmogorov_p(distance, n * m / (n + m)) }
}

/// The asymptotic probability, with Stephens' correction for small samples (M. A. Stephens, "Use of
/// the Kolmogorov–Smirnov, Cramér–von Mises and Related Statistics Without Extensive Tables", 1970):
/// exact to a few per cent from an effective size of 4 on.
fn kolmogorov_p(distance: f64, effective: f64) -> f64 {
    let root = effective.sqrt();
    let lambda = (root + 0.12 + 0.11 / root) * distance;
    // Below this the series does not converge and the probability is 1 to ten digits.
    if lambda < 0.2 {
        return 1.0;
    }
    let terms = (1..=100_u32).map(|k| {
        let sign = if k.is_multiple_of(2) { -2.0 } else { 2.0 };
        sign * (-2.0 * f64::from(k * k) * lambda * lambda).exp()
    });
    terms.sum::<f64>().clamp(0.0, 1.0)
}

/// A share with its 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub(crate) struct Proportion {
    /// The share that was seen, 0 to 1.
    pub(crate) share: f64,
    /// The lower end of the interval.
    pub(crate) low: f64,
    /// The upper end of the interval.
    pub(crate) high: f64,
}

impl Proportion {
    /// Wilson's interval (E. B. Wilson, 1927), which is right at the edges and for few samples too.
    /// Of nothing it is everything.
    pub(crate) fn wilson(hits: usize, of: usize) -> Self {
        /// Half of a normal distribution's 95 %, in standard deviations.
        const Z: f64 = 1.959_964;
        if of == 0 {
            return Self { share: 0.5, low: 0.0, high: 1.0 };
        }
        let (n, share) = (count(of), share(hits, of));
        let divisor = 1.0 + Z * Z / n;
        let centre = (share + Z * Z / (2.0 * n)) / divisor;
        let half = Z / divisor * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
        Self { share, low: centre - half, high: centre + half }
    }
}

/// Tells two kinds apart by one number: above the threshold it is one of them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Threshold {
    at: f64,
    /// Whether what is above is of the first kind.
    first_above: bool,
}

impl Threshold {
    /// The threshold that tells these samples apart best: where their distribution functions are
    /// farthest from each other. `None` when a kind has no sample.
    pub(crate) fn learn(first: &[f64], second: &[f64]) -> Option<Self> {
        let (first, second) = (sorted(first), sorted(second));
        if first.is_empty() || second.is_empty() {
            return None;
        }
        let below = |values: &[f64], at: f64| {
            share(values.partition_point(|value| *value <= at), values.len())
        };
        let lead = |at: f64| below(&second, at) - below(&first, at);
        let candidates = first.iter().chain(&second).copied();
        let at = candidates.max_by(|a, b| lead(*a).abs().total_cmp(&lead(*b).abs()))?;
        Some(Self { at, first_above: lead(at) > 0.0 })
    }

    /// How many of these it names rightly.
    pub(crate) fn hits(&self, first: &[f64], second: &[f64]) -> usize {
        let is_first = |value: &&f64| (**value > self.at) == self.first_above;
        first.iter().filter(is_first).count() + second.iter().filter(|v| !is_first(v)).count()
    }
}

fn share(part: usize, whole: usize) -> f64 {
    count(part) / count(whole)
}

/// A number of things as a float, to calculate with.
#[expect(clippy::cast_precision_loss, reason = "nobody counts 2^52 things")]
pub(crate) fn count(things: usize) -> f64 {
    things as f64
}

#[cfg(test)]
#[path = "stats_tests.rs"]
mod tests;
