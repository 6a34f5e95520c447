use super::*;
use crate::scrape::samples;

const BEFORE: &str = "hash_queue_seconds_bucket{caller=\"known\",le=\"1.5\"} 100\n\
                      hash_queue_seconds_bucket{caller=\"known\",le=\"+Inf\"} 200\n";

#[test]
fn the_wait_is_that_of_both_callers_since_the_first_reading() {
    let after = "# TYPE hash_queue_seconds histogram\n\
                 hash_queue_seconds_bucket{caller=\"known\",le=\"0.5\"} 0\n\
                 hash_queue_seconds_bucket{caller=\"known\",le=\"1.5\"} 150\n\
                 hash_queue_seconds_bucket{caller=\"known\",le=\"+Inf\"} 250\n\
                 hash_queue_seconds_bucket{caller=\"stranger\",le=\"0.5\"} 40\n\
                 hash_queue_seconds_bucket{caller=\"stranger\",le=\"1.5\"} 49\n\
                 hash_queue_seconds_bucket{caller=\"stranger\",le=\"+Inf\"} 50\n";
    let found = queue_p99(&samples(BEFORE), &samples(after)).unwrap();
    assert!((found - 1.5).abs() < 1e-9, "50 + 49 of 100: {found}");
}

#[test]
fn what_is_above_every_bound_is_no_number_that_could_meet_a_goal() {
    let after = "hash_queue_seconds_bucket{caller=\"known\",le=\"1.5\"} 197\n\
                 hash_queue_seconds_bucket{caller=\"known\",le=\"+Inf\"} 300\n";
    assert!(queue_p99(&samples(BEFORE), &samples(after)).unwrap().is_infinite());
    assert!(queue_p99(&samples(BEFORE), &samples(BEFORE)).is_err(), "nobody waited");
}
