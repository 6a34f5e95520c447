use super::*;

async fn pool(threads: usize) -> Arc<Pool> {
    Arc::new(Pool::start(threads, Cost::new(10).unwrap(), "nobody knows".into()).await)
}

#[test]
fn a_cost_is_10_to_12() {
    for text in ["9", "13", "", "ten", "-10", "4294967306"] {
        assert_eq!(Cost::parse(text), Err(InvalidCost), "{text}");
    }
    for cost in 10..=12 {
        assert_eq!(Cost::parse(&cost.to_string()).map(u32::from), Ok(cost));
    }
}

#[tokio::test]
async fn a_password_is_verified_against_its_hash_and_never_against_none() {
    let pool = pool(1).await;
    let stored = pool.hash("a password".into()).await.unwrap();
    assert_eq!(pool.verify("a password".into(), Some(stored.clone())).await, Ok(true));
    assert_eq!(pool.verify("b password".into(), Some(stored)).await, Ok(false));
    assert_eq!(pool.verify("a password".into(), None).await, Ok(false));
    assert_eq!(pool.verify("nobody knows".into(), None).await, Ok(false), "the decoy's own");
}

#[tokio::test]
async fn the_attempt_for_which_there_is_no_place_is_refused_at_once() {
    let pool = pool(1).await;
    let places = 1 + QUEUE_PER_PERMIT;
    let attempts: Vec<_> = (0..=places)
        .map(|_| {
            let pool = Arc::clone(&pool);
            async move { pool.verify("a password".into(), None).await }
        })
        .collect();
    let mut attempts: Vec<_> = attempts.into_iter().map(Box::pin).collect();
    // Polled once each: every place is taken, and the last attempt finds none.
    let answers: Vec<_> = attempts
        .iter_mut()
        .map(|attempt| {
            let mut context = std::task::Context::from_waker(std::task::Waker::noop());
            std::future::Future::poll(attempt.as_mut(), &mut context)
        })
        .collect();
    assert!(answers[..places].iter().all(std::task::Poll::is_pending));
    assert_eq!(answers[places], std::task::Poll::Ready(Err(Saturated)));
}

#[tokio::test]
async fn an_attempt_that_is_given_up_keeps_its_permit_until_its_hash_is_done() {
    let pool = pool(1).await;
    let mut given_up = Box::pin(pool.verify("a password".into(), None));
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(std::future::Future::poll(given_up.as_mut(), &mut context).is_pending());
    drop(given_up);
    assert_eq!(pool.permits.available_permits(), 0, "the thread still hashes");
    let back = pool.permits.acquire().await;
    assert!(back.is_ok());
}
