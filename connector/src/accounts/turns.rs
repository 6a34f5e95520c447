//! Who may ask the database for the pages: a few at once, so that logins and sessions have the other connections.

use std::sync::Arc;

use service_process::error_chain::ErrorChain;
use service_process::lifecycle::Tasks;
use tokio::sync::{Semaphore, oneshot};
use tokio::time::timeout;
use tracing::warn;

use crate::metrics::AUTH_UNAVAILABLE;
use crate::store::{LONGEST_STEP, Store, StoreError};
use crate::streak::Streak;

/// Turns at the database.
#[derive(Debug)]
pub(super) struct Turns {
    free: Arc<Semaphore>,
    tasks: Tasks,
    failing: Streak,
}

impl Turns {
    /// As many as a fifth of the connections: the guard has half and sessions that go on a quarter, and of ten, twenty
    /// or a hundred some are left, which settle, write the trail and ask for health.
    pub(super) fn new(store: &Store, tasks: Tasks) -> Self {
        let free = Arc::new(Semaphore::new(store.share(5)));
        Self { free, tasks, failing: Streak::default() }
    }

    /// Asks something of which whoever waits may have the answer another time: it is waited for as long as for a step.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.watch(async {
            let answered = timeout(LONGEST_STEP, self.take(work).await?).await;
            answered.map_err(|_| StoreError::TimedOut)?.unwrap_or(Err(StoreError::TimedOut))
        })
        .await
    }

    /// Makes changes, of which nobody should be left in doubt: they are waited for to their end.
    pub(super) async fn settle<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<T, StoreError> {
        self.watch(async { self.take(work).await?.await.unwrap_or(Err(StoreError::TimedOut)) })
            .await
    }

    /// Begins this when it has a turn. Whoever goes away while waiting for one has cost nothing. With one it goes on to
    /// its end, and keeps the turn for as long as the database takes, so that no connection is left in the middle of an
    /// answer.
    async fn take<T: Send + 'static>(
        &self,
        work: impl Future<Output = Result<T, StoreError>> + Send + 'static,
    ) -> Result<oneshot::Receiver<Result<T, StoreError>>, StoreError> {
        let turn = timeout(LONGEST_STEP, Arc::clone(&self.free).acquire_owned()).await;
        let turn = turn.map_err(|_| StoreError::TimedOut)?.expect("the semaphore is never closed");
        let (answer, answered) = oneshot::channel();
        let aborting = self.tasks.aborting().clone();
        self.tasks.spawn(async move {
            let done = aborting.run_until_cancelled(work).await;
            drop(turn);
            if let Some(done) = done {
                // Whoever asked may be gone.
                let _ = answer.send(done);
            }
        });
        Ok(answered)
    }

    async fn watch<T>(
        &self,
        done: impl Future<Output = Result<T, StoreError>>,
    ) -> Result<T, StoreError> {
        let done = done.await;
        match &done {
            // That something belongs to somebody else is an answer, too.
            Ok(_) | Err(StoreError::Taken { .. }) => self.failing.ends(),
            Err(error) => self.failed(error),
        }
        done
    }

    /// Tells of the first failure of a streak, and counts all.
    fn failed(&self, error: &StoreError) {
        metrics::counter!(AUTH_UNAVAILABLE, "call" => "accounts", "missing" => "store")
            .increment(1);
        if self.failing.fails() {
            warn!(error = %ErrorChain(error), "an accounts page has no database");
        }
    }
}
