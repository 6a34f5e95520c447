use rand::rngs::StdRng;
use rand::{RngExt as _, SeedableRng as _};

use super::*;

fn close(one: f64, other: f64) -> bool {
    (one - other).abs() < 1e-3
}

fn uniform(count: usize, shift: f64, seed: u64) -> Vec<f64> {
    let mut random = StdRng::seed_from_u64(seed);
    (0..count).map(|_| random.random::<f64>() + shift).collect()
}

#[test]
fn a_spread_has_the_middle_and_the_ends() {
    let spread = Spread::of(&[3.0, 1.0, 2.0]).unwrap();
    assert_eq!(spread, Spread { median: 2.0, least: 1.0, most: 3.0 });
    assert!(close(median(&[4.0, 1.0, 2.0, 3.0]), 2.5));
    assert!(Spread::of(&[]).is_err());
}

#[test]
fn the_distance_is_the_largest_between_the_steps() {
    let ks = kolmogorov_smirnov(&[1.0, 2.0, 3.0, 4.0], &[3.0, 4.0, 5.0, 6.0]);
    assert!(close(ks.distance, 0.5), "{ks:?}");
    let same = kolmogorov_smirnov(&[1.0, 1.0, 2.0], &[2.0, 1.0, 1.0]);
    assert_eq!(same, Ks { distance: 0.0, p: 1.0 }, "ties are no difference");
    assert_eq!(kolmogorov_smirnov(&[], &[1.0]), Ks { distance: 1.0, p: 0.0 });
}

/// Kolmogorov's distribution as tables have it: Q(1.2238) = 0.10, Q(1.3581) = 0.05,
/// Q(1.6276) = 0.01.
#[test]
fn the_probability_is_that_of_the_tables() {
    for (lambda, p) in [(1.2238, 0.10), (1.3581, 0.05), (1.6276, 0.01), (0.5, 0.9639)] {
        // So large a sample needs no correction.
        let found = kolmogorov_p(lambda / 1e6, 1e12);
        assert!(close(found, p), "{lambda}: {found}");
    }
}

#[test]
fn samples_of_one_distribution_pass_and_shifted_ones_do_not() {
    for seed in 0..20 {
        let (one, other) = (uniform(2000, 0.0, seed), uniform(2000, 0.0, seed + 100));
        let same = kolmogorov_smirnov(&one, &other);
        assert!(same.p > 0.01, "{seed}: {same:?}");
        let shifted = kolmogorov_smirnov(&one, &uniform(2000, 0.1, seed + 200));
        assert!(shifted.p < 0.01, "{seed}: {shifted:?}");
    }
}

/// Newcombe's "Two-sided confidence intervals for the single proportion" (1998), table I, method 3.
#[test]
fn the_interval_is_the_published_one() {
    for (hits, of, low, high) in
        [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
    {
        let found = Proportion::wilson(hits, of);
        assert!(close(found.low, low) && close(found.high, high), "{hits}/{of}: {found:?}");
    }
    assert!(holds_half(0, 0));
    assert!(!holds_half(600, 1000));
}

#[test]
fn a_threshold_tells_apart_what_differs_whichever_is_larger() {
    let (small, large) = (uniform(1000, 0.0, 1), uniform(1000, 0.5, 2));
    let expected = 1500..1600;
    let threshold = Threshold::learn(&small, &large).unwrap();
    assert!(expected.contains(&threshold.hits(&small, &large)), "{threshold:?}");
    let threshold = Threshold::learn(&large, &small).unwrap();
    assert!(expected.contains(&threshold.hits(&large, &small)), "{threshold:?}");
    assert_eq!(Threshold::learn(&[], &small), None);
}

#[test]
fn a_threshold_finds_nothing_where_there_is_nothing() {
    let threshold = Threshold::learn(&uniform(1000, 0.0, 3), &uniform(1000, 0.0, 4)).unwrap();
    let hits = threshold.hits(&uniform(1000, 0.0, 5), &uniform(1000, 0.0, 6));
    assert!(holds_half(hits, 2000), "{hits}");
}

fn holds_half(hits: usize, of: usize) -> bool {
    let Proportion { low, high, .. } = Proportion::wilson(hits, of);
    (low..=high).contains(&0.5)
}
