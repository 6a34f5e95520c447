//! The role `worker`: what goes on in the background. Any number of processes may have it.

mod gauges;
mod partitions;
mod revocations;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use service_process::lifecycle::Tasks;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

use crate::audit::Ids;
use crate::dex_api::DexApi;
use crate::login::Causes;
use crate::store::{Store, StoreError};

/// Works in the background.
#[derive(Debug)]
pub struct Worker {
    store: Store,
    dex: DexApi,
    ids: Ids,
    clock: fn() -> DateTime<Utc>,
    tasks: Tasks,
}

impl Worker {
    /// Works on this store, and calls Dex.
    #[must_use]
    pub fn new(
        store: Store,
        dex: DexApi,
        ids: Ids,
        clock: fn() -> DateTime<Utc>,
        tasks: Tasks,
    ) -> Self {
        Self { store, dex, ids, clock, tasks }
    }

    /// Starts every kind of work. Each ends with the process.
    pub fn start(self) {
        let worker = Arc::new(self);
        worker.repeat("gauges", gauges::EVERY, gauges::show);
        worker.repeat("partitions", partitions::EVERY, partitions::make);
        worker.repeat("revocations", revocations::EVERY, revocations::work);
        worker.repeat("sweep", sweep::EVERY, sweep::sweep);
    }

    /// Does a kind of work at once and then after each pause. What failed is done next time; a
    /// streak of failures is logged once.
    fn repeat<W>(self: &Arc<Self>, name: &'static str, pause: Duration, work: fn(Arc<Self>) -> W)
    where
        W: Future<Output = Result<(), StoreError>> + Send + 'static,
    {
        let worker = Arc::clone(self);
        self.tasks.worker(name, async move {
            let mut tick = interval(pause);
            tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
            let mut failing = false;
            while worker.tasks.stopping().run_until_cancelled(tick.tick()).await.is_some() {
                match work(Arc::clone(&worker)).await {
                    Ok(()) if failing => {
                        failing = false;
                        info!(work = name, "succeeds again");
                    }
                    Err(error) if !failing => {
                        failing = true;
                        warn!(work = name, error = %Causes(&error), "failed: it is tried again");
                    }
                    Ok(()) | Err(_) => {}
                }
            }
            Ok(())
        });
    }
}
