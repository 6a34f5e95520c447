use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use super::*;

const PADDING: Duration = Duration::from_millis(350);

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[tokio::test(start_paused = true)]
async fn every_refusal_leaves_at_the_same_age() {
    let parking = Parking::default();
    for spent in [0, 85, 349, 350] {
        let since = Instant::now();
        tokio::time::advance(Duration::from_millis(spent)).await;
        parking.pad(since, PADDING).await.unwrap();
        assert_eq!(since.elapsed(), PADDING, "after {spent} ms of work");
    }
    let since = Instant::now();
    tokio::time::advance(PADDING * 2).await;
    parking.pad(since, PADDING).await.unwrap();
    assert_eq!(since.elapsed(), PADDING * 2, "too old already: leaves at once");
}

#[tokio::test(start_paused = true)]
async fn beyond_2000_a_refusal_is_turned_away_until_one_leaves() {
    let parking = Parking::default();
    let since = Instant::now();
    let mut parked: Vec<_> = (0..2000).map(|_| Box::pin(parking.pad(since, PADDING))).collect();
    for waiting in &mut parked {
        assert!(poll(waiting.as_mut()).is_pending());
    }
    assert_eq!(parking.pad(since, PADDING).await, Err(Saturated));
    assert_eq!(since.elapsed(), Duration::ZERO, "at once");
    // Whoever hangs up makes room as well.
    parked.pop();
    let mut next = Box::pin(parking.pad(since, PADDING));
    assert!(poll(next.as_mut()).is_pending());
    assert_eq!(next.await, Ok(()));
}
