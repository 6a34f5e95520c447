use super::*;

/// The clock is a test's own: it jumps to the next thing that is due.
#[tokio::test(start_paused = true)]
async fn calls_are_made_when_they_are_due_and_waited_for() {
    let slow = Duration::from_secs(10);
    let samples = steady(100.0, Duration::from_secs(1), |n| async move {
        tokio::time::sleep(slow).await;
        n
    })
    .await;
    assert_eq!(samples.len(), 100, "none waited for another");
    assert!(samples.iter().all(|sample| sample.latency >= slow));
    assert!(samples.iter().all(|sample| sample.delay < slow));
    assert!(samples.iter().all(|sample| sample.at < slow + Duration::from_secs(2)));
}

#[test]
fn the_99th_percentile_is_above_ninety_nine_of_a_hundred() {
    let millis = |n| Duration::from_millis(n);
    let found = p99_millis((1..=100).map(millis)).unwrap();
    assert!((98.9..=99.1).contains(&found), "{found}");
}
