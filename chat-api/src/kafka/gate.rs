//! The breakers of all partitions.

use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use tokio::time::Instant;

use super::breaker::{Breaker, BreakerState, Outcome};
use crate::message::Partition;
use crate::metrics;

/// Lets appends through to the partitions that take them.
pub(super) struct Gate {
    /// What the topic is called in metrics and log lines.
    topic: &'static str,
    breakers: Vec<(Partition, Mutex<Breaker>)>,
    opened: Notify,
}

impl Gate {
    /// All partitions are thought to take appends. They come in the order of their numbers.
    pub(super) fn new(
        topic: &'static str,
        partitions: impl Iterator<Item = Partition>,
        now: Instant,
    ) -> Self {
        let closed = |partition| {
            show(topic, partition, BreakerState::Closed);
            (partition, Mutex::new(Breaker::new(now)))
        };
        Self { topic, breakers: partitions.map(closed).collect(), opened: Notify::new() }
    }

    /// Whether an append may be handed over; [`Gate::ended`] must tell the end of one that may.
    pub(super) fn admit(&self, partition: Partition, now: Instant) -> bool {
        self.step(partition, |breaker| breaker.admit(now))
    }

    /// Takes the end of an append.
    pub(super) fn ended(
        &self,
        partition: Partition,
        admitted: Instant,
        outcome: Outcome,
        now: Instant,
    ) {
        self.step(partition, |breaker| breaker.ended(admitted, outcome, now));
    }

    /// Takes the success of a probe.
    pub(super) fn found(&self, partition: Partition, now: Instant) {
        self.step(partition, |breaker| breaker.found(now));
    }

    /// The partitions that wait for a probe, once there are some.
    pub(super) async fn open(&self) -> Vec<Partition> {
        loop {
            let open = |(_, breaker): &&(Partition, Mutex<Breaker>)| {
                lock(breaker).state() == BreakerState::Open
            };
            let partitions: Vec<Partition> =
                self.breakers.iter().filter(open).map(|(partition, _)| *partition).collect();
            if !partitions.is_empty() {
                return partitions;
            }
            self.opened.notified().await;
        }
    }

    fn step<T>(&self, partition: Partition, step: impl FnOnce(&mut Breaker) -> T) -> T {
        let mut breaker = lock(&self.breakers[partition.index()].1);
        let before = breaker.state();
        let answer = step(&mut breaker);
        let after = breaker.state();
        if before != after {
            // Under the lock, so that two changes are told in their order.
            show(self.topic, partition, after);
            self.tell(partition, before, after);
        }
        answer
    }

    fn tell(&self, partition: Partition, before: BreakerState, after: BreakerState) {
        let topic = self.topic;
        match (before, after) {
            (BreakerState::Closed, _) => {
                let labels = [("topic", topic.to_owned()), ("partition", partition.to_string())];
                ::metrics::counter!(metrics::BREAKER_OPENINGS, &labels).increment(1);
                tracing::warn!(topic, %partition, "a partition takes no appends: they are refused");
            }
            (_, BreakerState::Closed) => {
                tracing::info!(topic, %partition, "a partition takes appends again");
            }
            _ => {}
        }
        if after == BreakerState::Open {
            self.opened.notify_one();
        }
    }
}

fn show(topic: &'static str, partition: Partition, state: BreakerState) {
    let value = match state {
        BreakerState::Closed => 0.0,
        BreakerState::HalfOpen | BreakerState::Trying => 1.0,
        BreakerState::Open => 2.0,
    };
    let labels = [("topic", topic.to_owned()), ("partition", partition.to_string())];
    ::metrics::gauge!(metrics::BREAKER_STATE, &labels).set(value);
}

fn lock(breaker: &Mutex<Breaker>) -> MutexGuard<'_, Breaker> {
    // A step sets state and time, which cannot panic in between.
    breaker.lock().unwrap_or_else(PoisonError::into_inner)
}
