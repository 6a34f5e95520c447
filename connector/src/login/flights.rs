//! Identical attempts share one verification while it is under way: a page that was sent twice, or
//! an app that signs in fifty times at once, is charged and hashed once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

use super::claim::FlightKey;
use super::{Unavailable, Verdict};

type Landed = Option<Result<Verdict, Unavailable>>;

/// The verifications that are under way on this replica.
#[derive(Debug, Default)]
pub(super) struct Flights {
    under_way: Arc<Mutex<HashMap<FlightKey, Flight>>>,
}

#[derive(Debug, Clone)]
struct Flight {
    interest: watch::Sender<()>,
    landed: watch::Receiver<Landed>,
}

/// Held by whoever wants the verdict.
pub(super) struct Interest(
    #[expect(dead_code, reason = "it is counted, not read")] watch::Receiver<()>,
);

/// Where the verdict comes.
pub(super) struct Landing(watch::Receiver<Landed>);

/// The duty of whoever begins a flight: to verify, and to [`land`](Self::land).
pub(super) struct Pilot {
    key: FlightKey,
    under_way: Arc<Mutex<HashMap<FlightKey, Flight>>>,
    interest: watch::Sender<()>,
    landed: watch::Sender<Landed>,
}

impl Flights {
    /// Takes part in the verification with this key. Whoever gets a pilot is to carry it out.
    pub(super) fn join(&self, key: FlightKey) -> (Interest, Landing, Option<Pilot>) {
        let mut under_way = lock(&self.under_way);
        if let Some(flight) = under_way.get(&key) {
            let interest = Interest(flight.interest.subscribe());
            return (interest, Landing(flight.landed.clone()), None);
        }
        let (interest, interested) = watch::channel(());
        let (landed, landing) = watch::channel(None);
        under_way.insert(key, Flight { interest: interest.clone(), landed: landing.clone() });
        let pilot = Pilot { key, under_way: Arc::clone(&self.under_way), interest, landed };
        (Interest(interested), Landing(landing), Some(pilot))
    }
}

impl Landing {
    /// The verdict. Comes whether or not an interest in it is held.
    pub(super) async fn verdict(&mut self) -> Result<Verdict, Unavailable> {
        match self.0.wait_for(Option::is_some).await {
            Ok(landed) => landed.clone().unwrap_or(Err(Unavailable::Abandoned)),
            // The pilot is gone without a verdict: the process stops.
            Err(_) => Err(Unavailable::Abandoned),
        }
    }
}

impl Pilot {
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
    pub(super) fn land(self, verdict: Result<Verdict, Unavailable>) {
        self.landed.send_replace(Some(verdict));
    }
}

impl Drop for Pilot {
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
