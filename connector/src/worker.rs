//! The role `worker`: what goes on in the background. Any number of processes may have it.

mod gauges;
mod mail;
mod partitions;
mod revocations;
mod sweep;

use std::sync::Arc;
use std::time::Duration;

use service_process::error_chain::ErrorChain;
use service_process::lifecycle::Tasks;
use service_process::sources::Sources;
use tokio::time::{MissedTickBehavior, interval};
use tracing::{info, warn};

pub use mail::Post;

use crate::dex_api::DexApi;
use crate::store::{Store, StoreError};

/// Works in the background.
#[derive(Debug)]
pub struct Worker {
    store: Store,
    dex: DexApi,
    post: Post,
    sources: Sources,
    tasks: Tasks,
}

impl Worker {
    /// Works on this store, calls Dex and sends mail.
    #[must_use]
    pub fn new(store: Store, dex: DexApi, post: Post, sources: Sources, tasks: Tasks) -> Self {
        Self { store, dex, post, sources, tasks }
    }

    /// Starts every kind of work. Each ends with the process.
    pub fn start(self) {
        let worker = Arc::new(self);
        worker.repeat("gauges", gauges::EVERY, |worker| async move {
            gauges::show(&worker.store, (worker.sources.now)()).await
        });
        worker.repeat("mail", mail::EVERY, |worker| async move {
            let Self { store, post, sources, tasks, .. } = &*worker;
            mail::work(store, post, *sources, tasks.stopping()).await
        });
        worker.repeat("partitions", partitions::EVERY, |worker| async move {
            partitions::make(&worker.store, (worker.sources.now)()).await
        });
        worker.repeat("revocations", revocations::EVERY, |worker| async move {
            let Self { store, dex, sources, tasks, .. } = &*worker;
            revocations::work(store, dex, *sources, tasks.stopping()).await
        });
        worker.repeat("sweep", sweep::EVERY, |worker| async move {
            sweep::sweep(&worker.store, (worker.sources.now)()).await
        });
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
                // A database may take longer than the process has: what was claimed is free again later.
                let work = work(Arc::clone(&worker));
                let Some(done) = worker.tasks.aborting().run_until_cancelled(work).await else {
                    return Ok(());
                };
                match done {
                    Ok(()) if failing => {
                        failing = false;
                        info!(work = name, "succeeds again");
                    }
                    Err(error) if !failing => {
                        failing = true;
                        warn!(work = name, error = %ErrorChain(&error), "failed: it is tried again");
                    }
                    Ok(()) | Err(_) => {}
                }
            }
            Ok(())
        });
    }
}
