//! Whether it is worth handing appends of one partition over.

use tokio::time::Instant;

/// What is known of a partition: appends come through, or they fail one after the other, each after
/// its whole time.
///
/// A pure state machine. The first append that ends in an outage opens it, and from then on appends
/// are refused at once. A probe that finds the partition's leader makes one append a trial, whose end
/// closes it or opens it again.
#[derive(Debug)]
pub(super) struct Breaker {
    state: BreakerState,
    /// When it came into this state.
    since: Instant,
}

/// What a breaker lets through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum BreakerState {
    /// Every append.
    Closed,
    /// Nothing until a probe succeeds.
    Open,
    /// The next append, as a trial.
    HalfOpen,
    /// Nothing until the trial has ended.
    Trying,
}

/// How an append ended, as far as it tells something about its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// The broker answered.
    Answered,
    /// No answer, or one that says that the partition takes nothing at the moment.
    Outage,
    /// It ended for a reason that tells nothing about the partition.
    Unclear,
}

impl Breaker {
    pub(super) fn new(now: Instant) -> Self {
        Self { state: BreakerState::Closed, since: now }
    }

    pub(super) fn state(&self) -> BreakerState {
        self.state
    }

    /// Whether an append may be handed over. One that may has to end: [`Breaker::ended`].
    pub(super) fn admit(&mut self, now: Instant) -> bool {
        match self.state {
            BreakerState::Closed => true,
            BreakerState::HalfOpen => {
                self.enter(BreakerState::Trying, now);
                true
            }
            BreakerState::Open | BreakerState::Trying => false,
        }
    }

    /// Takes the end of an append that was admitted at a time.
    pub(super) fn ended(&mut self, admitted: Instant, outcome: Outcome, now: Instant) {
        // Many appends are under way when an outage begins. The end of one that was
        // admitted before the present state says nothing about it: it is older than what is known.
        if admitted < self.since {
            return;
        }
        match (self.state, outcome) {
            (BreakerState::Closed | BreakerState::Trying, Outcome::Outage) => {
                self.enter(BreakerState::Open, now);
            }
            (BreakerState::Trying, Outcome::Answered) => self.enter(BreakerState::Closed, now),
            (BreakerState::Trying, Outcome::Unclear) => self.enter(BreakerState::HalfOpen, now),
            _ => {}
        }
    }

    /// Takes the success of a probe.
    pub(super) fn found(&mut self, now: Instant) {
        if self.state == BreakerState::Open {
            self.enter(BreakerState::HalfOpen, now);
        }
    }

    fn enter(&mut self, state: BreakerState, now: Instant) {
        self.state = state;
        self.since = now;
    }
}

#[cfg(test)]
#[path = "breaker_tests.rs"]
mod tests;
