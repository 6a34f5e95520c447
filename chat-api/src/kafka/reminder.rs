//! Gives a client of the log its first brokers again when it may have lost all of them.

use std::ffi::CString;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rdkafka::ClientContext;
use rdkafka::client::Client;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// From a client's last word that all brokers are down until it is reminded: until then it may still be about to find
/// them by itself.
const AFTER: Duration = Duration::from_secs(1);
/// Between two reminders. Each is twice as far from the one before, up to this, as long as brokers are lost again and
/// again: the client keeps what it is told, and goes through all of it whenever it begins again.
const LONGEST_REST: Duration = Duration::from_mins(1);

/// Reminds one client of its first brokers.
///
/// librdkafka forgets a broker that the cluster does not name any more, and begins with the first ones again when none
/// is left. If the cluster names none at all, it does the first within the same answer whose success then takes back the
/// second, and never tries again: such a client neither reads nor appends, for ever (`docs/adr/0017-…`).
pub(super) struct Reminder {
    brokers: CString,
    state: Mutex<ReminderState>,
    set: Notify,
}

struct ReminderState {
    /// When the client is to be reminded.
    at: Option<Instant>,
    /// When it was reminded last.
    last: Option<Instant>,
    /// How long it is left alone after that.
    rest: Duration,
}

impl Reminder {
    pub(super) fn new(brokers: &str) -> Self {
        // Behind a zero there is nothing for the client either.
        let brokers = brokers.split('\0').next().unwrap_or_default();
        let brokers = CString::new(brokers).unwrap_or_default();
        let state = ReminderState { at: None, last: None, rest: AFTER };
        Self { brokers, state: Mutex::new(state), set: Notify::new() }
    }

    /// Takes an error that the client tells.
    pub(super) fn note(&self, error: &KafkaError, now: Instant) {
        if error.rdkafka_error_code() != Some(RDKafkaErrorCode::AllBrokersDown) {
            return;
        }
        let mut state = self.lock();
        if state.last.is_some_and(|last| now.duration_since(last) > 2 * LONGEST_REST) {
            state.rest = AFTER;
        }
        let rested = state.last.map_or(now, |last| last + state.rest);
        state.at = Some(rested.max(now + AFTER));
        drop(state);
        self.set.notify_one();
    }

    /// Completes when the client is to be reminded, once for each time that it lost its brokers.
    pub(super) async fn due(&self) {
        loop {
            let at = self.lock().at;
            match at {
                None => self.set.notified().await,
                Some(at) => sleep_until(at).await,
            }
            if self.take(Instant::now()) {
                return;
            }
        }
    }

    /// Whether the client is to be reminded by now; from then on it is not.
    fn take(&self, now: Instant) -> bool {
        let mut state = self.lock();
        let is_due = state.at.take_if(|at| *at <= now).is_some();
        if is_due {
            state.last = Some(now);
            state.rest = (state.rest * 2).min(LONGEST_REST);
        }
        is_due
    }

    /// Reminds the client.
    pub(super) fn remind<C: ClientContext>(&self, client: &Client<C>) {
        tracing::info!(
            "a client of the log that lost all brokers begins with the first ones again"
        );
        kafka_native::bootstrap_again(client, &self.brokers);
    }

    fn lock(&self) -> MutexGuard<'_, ReminderState> {
        // Each access is one whole step.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
#[path = "reminder_tests.rs"]
mod tests;
