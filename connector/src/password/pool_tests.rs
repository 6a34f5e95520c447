use std::pin::Pin;
use std::sync::mpsc;
use std::task::{Context, Poll, Waker};

use super::Caller::{Known, Stranger};
use super::*;
use crate::password::PasswordRules;

/// One hash takes 100 ms at cost 10, so that the padding does too.
const CALIBRATION: Calibration =
    Calibration { mean: Duration::from_millis(100), slowest: Duration::from_millis(100) };

fn pool(threads: usize) -> Pool {
    let pepper = "a:BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=";
    Pool::new(threads, Cost::MIN, Peppers::parse(pepper).unwrap(), CALIBRATION)
}

fn poll<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Takes this many permits, which must be free.
fn take(pool: &Pool, caller: Caller, count: usize) -> Vec<Permit> {
    let mut permits = Vec::new();
    for _ in 0..count {
        let mut turn = Box::pin(pool.acquire(caller, None));
        let Poll::Ready(permit) = poll(turn.as_mut()) else { panic!("no permit for {caller:?}") };
        permits.push(permit.expect("a permit"));
    }
    permits
}

#[tokio::test]
async fn a_password_is_verified_against_its_hash_and_never_against_none() {
    let pool = pool(1);
    let stored = pool.hash(Arc::new("a password".into()), Known, None).await.unwrap();
    for (password, credential, fits) in [
        ("a password", Some(stored.clone()), true),
        ("b password", Some(stored), false),
        ("a password", None, false),
        ("decoy", None, false),
    ] {
        let permit = pool.acquire(Stranger, None).await.unwrap();
        let since = permit.since;
        let verified = permit.verify(Arc::new(password.into()), credential, true).await;
        assert_eq!(verified, Verified { fits, since, rounds: 1 << 10 }, "{password}");
    }
}

#[tokio::test]
async fn strangers_get_half_of_the_permits_rounded_up_and_known_pairs_the_rest() {
    for (threads, half) in [(1, 1), (2, 1), (3, 2), (4, 2), (8, 4)] {
        let pool = pool(threads);
        let strangers = take(&pool, Stranger, half);
        let mut next = Box::pin(pool.acquire(Stranger, None));
        assert!(poll(next.as_mut()).is_pending(), "{threads}: one stranger too many");
        let known = take(&pool, Known, threads - half);
        assert_eq!(pool.everyone.permits.available_permits(), 0);
        drop((strangers, known));
        assert!(next.await.is_ok(), "{threads}: permits come back");
    }
}

#[tokio::test]
async fn a_new_password_is_looked_at_and_hashed_in_one_turn_of_strangers() {
    let pool = pool(2);
    let new = |text: &str| PasswordRules { least: 8 }.check(text.into(), &[]).unwrap();
    let words = || vec!["Ada Lovelace".to_owned()];
    let hashed = pool.hash_new(new("an engine that weaves"), words()).await.unwrap();
    assert!(hashed.is_ok_and(|hashed| hashed.cost() == Cost::MIN));
    for common in ["passwordpassword", "Ada Lovelace"] {
        let refused = pool.hash_new(new(common), words()).await.unwrap();
        assert_eq!(refused, Err(UnfitPassword::Common), "{common}");
    }
    let _busy = take(&pool, Stranger, 1);
    let mut next = Box::pin(pool.hash_new(new("an engine that weaves"), words()));
    assert!(poll(next.as_mut()).is_pending(), "strangers have one turn of the two");
}

#[tokio::test]
async fn known_pairs_may_use_all_of_the_pool() {
    let pool = pool(3);
    let known = take(&pool, Known, 3);
    let mut next = Box::pin(pool.acquire(Stranger, None));
    assert!(poll(next.as_mut()).is_pending());
    drop(known);
    assert!(next.await.is_ok());
}

#[tokio::test]
async fn strangers_cannot_take_the_half_of_the_queue_that_is_kept_for_known_pairs() {
    let pool = pool(2);
    let _busy = (take(&pool, Stranger, 1), take(&pool, Known, 1));
    let fill = |caller, places| {
        let mut queue: Vec<_> = (0..places).map(|_| Box::pin(pool.acquire(caller, None))).collect();
        assert!(queue.iter_mut().all(|turn| poll(turn.as_mut()).is_pending()), "{caller:?}");
        queue
    };
    let refused_at_once = |caller| {
        let mut turn = Box::pin(pool.acquire(caller, None));
        matches!(poll(turn.as_mut()), Poll::Ready(Err(Saturated)))
    };
    let _strangers = fill(Stranger, 8);
    assert!(refused_at_once(Stranger), "a stranger beyond half of the queue");
    let _known = fill(Known, 8);
    assert!(refused_at_once(Known), "8 for each of 2 permits in all");
}

#[tokio::test(start_paused = true)]
async fn nobody_waits_longer_than_a_second_and_a_half() {
    let pool = pool(1);
    let _busy = take(&pool, Known, 1);
    let asked = Instant::now();
    assert!(pool.acquire(Stranger, None).await.is_err());
    assert_eq!(asked.elapsed(), Duration::from_millis(1500));
    let late = Some(Instant::now() + Duration::from_secs(8));
    let asked = Instant::now();
    assert!(pool.acquire(Known, late).await.is_err());
    assert_eq!(asked.elapsed(), Duration::from_millis(1500));
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_answered_before_its_deadline_is_refused_as_soon_as_that_is_certain() {
    let pool = pool(1);
    let within = |milliseconds| Some(Instant::now() + Duration::from_millis(milliseconds));
    let asked = Instant::now();
    assert!(pool.acquire(Known, within(99)).await.is_err(), "a hash takes 100 ms");
    assert!(pool.acquire(Known, within(0)).await.is_err());
    assert_eq!(asked.elapsed(), Duration::ZERO, "although nobody hashes");
    assert!(pool.acquire(Known, within(100)).await.is_ok());

    let busy = take(&pool, Known, 1);
    let asked = Instant::now();
    assert!(pool.acquire(Known, within(400)).await.is_err());
    assert_eq!(asked.elapsed(), Duration::from_millis(300), "what then is left is too short");
    drop(busy);

    pool.cost_seen(Cost::MAX);
    assert!(pool.acquire(Known, within(399)).await.is_err(), "a hash may take 400 ms now");
    assert!(pool.acquire(Known, within(400)).await.is_ok());
}

#[tokio::test]
async fn an_attempt_that_is_given_up_keeps_its_permit_until_its_hash_is_done() {
    let pool = pool(1);
    let (begun, begins) = mpsc::channel();
    let (end, ends) = mpsc::channel();
    let permit = pool.acquire(Stranger, None).await.unwrap();
    let mut given_up = Box::pin(permit.run(move |_| {
        begun.send(()).unwrap();
        ends.recv().unwrap();
    }));
    assert!(poll(given_up.as_mut()).is_pending());
    begins.recv().unwrap();
    drop(given_up);
    assert_eq!(pool.everyone.permits.available_permits(), 0, "the thread still hashes");
    end.send(()).unwrap();
    assert!(pool.acquire(Known, None).await.is_ok(), "and gives it back");
}

#[tokio::test]
async fn an_attempt_that_is_given_up_in_the_queue_leaves_no_trace() {
    let pool = pool(1);
    let busy = take(&pool, Known, 1);
    for _ in 0..100 {
        let mut given_up = Box::pin(pool.acquire(Stranger, None));
        assert!(poll(given_up.as_mut()).is_pending());
    }
    drop(busy);
    assert_eq!(pool.everyone.places.available_permits(), 9);
    assert_eq!(pool.strangers.places.available_permits(), 5);
    assert_eq!(pool.strangers.permits.available_permits(), 1);
}

#[test]
fn padding_and_rate_follow_the_highest_cost() {
    let pool = pool(2);
    assert_eq!((pool.padding(), pool.highest_cost()), (Duration::from_millis(100), Cost::MIN));
    assert!((pool.hashes_per_minute() - 1200.0).abs() < 1e-6);
    pool.cost_seen(Cost::MAX);
    assert_eq!((pool.padding(), pool.highest_cost()), (Duration::from_millis(400), Cost::MAX));
    assert!((pool.hashes_per_minute() - 300.0).abs() < 1e-6);
}
