use super::*;

fn cost(cost: u32) -> Cost {
    Cost::new(cost).unwrap()
}

#[test]
fn the_padding_is_the_slowest_hash_of_that_cost_rounded_up_to_50_ms() {
    for (slowest, paddings) in
        [(0, [0, 0, 0]), (50, [50, 100, 200]), (85, [100, 200, 350]), (101, [150, 250, 450])]
    {
        let slowest = Duration::from_millis(slowest);
        let calibration = Calibration { mean: Duration::from_millis(1), slowest };
        let actual = [10, 11, 12].map(|c| calibration.padding(cost(c)).as_millis());
        assert_eq!(actual, paddings, "{slowest:?}");
    }
}

#[test]
fn the_rate_is_that_of_all_threads_and_halves_with_each_cost() {
    let mean = Duration::from_millis(100);
    let calibration = Calibration { mean, slowest: mean * 2 };
    for (threads, of, rate) in [(1, 10, 600.0), (2, 10, 1200.0), (2, 11, 600.0), (2, 12, 300.0)] {
        let actual: f64 = calibration.hashes_per_minute(threads, cost(of));
        assert!((actual - rate).abs() < 1e-6, "{threads} {of}: {actual}");
    }
}

#[tokio::test]
async fn measuring_computes_real_hashes() {
    let measured = Calibration::measure(2).await;
    assert!(measured.mean > Duration::ZERO);
    assert!(measured.slowest >= measured.mean);
}
