//! Single flights: identical attempts share one verification while it is under way. A page that was
//! sent twice, or an app that signs in fifty times at once, is charged and hashed once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::attempt::Unavailable;
use super::claim::FlightKey;
use super::verification::Decision;

type FlightAnswer = Result<Decision, Unavailable>;

/// The verifications that are under way on this replica.
#[derive(Debug, Default)]
pub(super) struct Flights {
    under_way: Arc<Mutex<HashMap<FlightKey, Flight>>>,
}

#[derive(Debug, Clone)]
struct Flight {
    interest: watch::Sender<()>,
    answer: watch::Receiver<Option<FlightAnswer>>,
}

/// Held by whoever waits for the answer: a flight that nobody is interested in is abandoned.
pub(super) struct Interest(
    #[expect(dead_code, reason = "it is counted, not read")] watch::Receiver<()>,
);

/// Where the answer of a flight comes.
pub(super) struct FlightResult(watch::Receiver<Option<FlightAnswer>>);

/// The duty of whoever begins a flight: to verify, and to [`finish`](Self::finish).
pub(super) struct Leader {
    key: FlightKey,
    under_way: Arc<Mutex<HashMap<FlightKey, Flight>>>,
    interest: watch::Sender<()>,
    answer: watch::Sender<Option<FlightAnswer>>,
}

impl Flights {
    /// Takes part in the verification with this key. Whoever is made its leader is to carry it out.
    pub(super) fn join(&self, key: FlightKey) -> (Interest, FlightResult, Option<Leader>) {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.get(&key) {
            let interest = Interest(flight.interest.subscribe());
            return (interest, FlightResult(flight.answer.clone()), None);
        }
        let (interest, interested) = watch::channel(());
        let (answer, answered) = watch::channel(None);
        under_way.insert(key, Flight { interest: interest.clone(), answer: answered.clone() });
        let leader = Leader { key, under_way: Arc::clone(&self.under_way), interest, answer };
        (Interest(interested), FlightResult(answered), Some(leader))
    }
}

impl FlightResult {
    /// The answer. Comes whether or not an interest in it is held.
    pub(super) async fn get(&mut self) -> FlightAnswer {
        match self.0.wait_for(Option::is_some).await {
            Ok(answer) => answer.clone().unwrap_or(Err(Unavailable::Abandoned)),
            // The leader is gone without an answer: the process stops.
            Err(_) => Err(Unavailable::Abandoned),
        }
    }
}

impl Leader {
    /// Ends when nobody is interested any more. From then on nobody can join.
    pub(super) async fn abandoned(&self) {
        loop {
            self.interest.closed().await;
            let mut under_way = lock(&self.under_way);
            // Somebody may have joined since.
            if self.interest.receiver_count() == 0 {
                under_way.remove(&self.key);
                return;
            }
        }
    }

    /// Tells everybody.
    pub(super) fn finish(self, answer: FlightAnswer) {
        self.answer.send_replace(Some(answer));
    }
}

impl Drop for Leader {
    fn drop(&mut self) {
        let mut under_way = lock(&self.under_way);
        // After being abandoned another flight may have the key.
        if under_way
            .get(&self.key)
            .is_some_and(|flight| flight.interest.same_channel(&self.interest))
        {
            under_way.remove(&self.key);
        }
    }
}

fn lock(
    under_way: &Mutex<HashMap<FlightKey, Flight>>,
) -> MutexGuard<'_, HashMap<FlightKey, Flight>> {
    // Each change is one insertion or removal, so a poisoned map is still consistent.
    under_way.lock().unwrap_or_else(PoisonError::into_inner)
}
