//! Charges whose outcome nobody knows yet.
//!
//! A statement that was sent is carried out, whether or not somebody still waits for its answer. So a
//! task of its own waits for it, and a charge that nobody takes is taken back: a slow database must
//! not make failures of right passwords.

use std::sync::Arc;
use std::time::Duration;

use anyhow::anyhow;
use chrono::{DateTime, Utc};
use service_process::lifecycle::Tasks;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::{Instant, sleep};
use tracing::warn;
use uuid::Uuid;

use crate::account::LoginName;
use crate::lockout::{Budget, CHARGE_LIFE, Charge, ChargeRequest, GuardKey, Table};
use crate::store::{Resolved, Store, StoreError};

/// The pause after the first try that failed; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// The longest of these pauses: a database that is back is asked within this time.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How long a statement is still waited for when the process leaves: tasks have 2 s for all that they
/// do then, and a charge and its release are two.
const LAST_STATEMENT: Duration = Duration::from_millis(500);

/// Does what may be done twice again and again until it is done. `None`: it was not within the life of
/// a charge, after which nothing of an attempt can be settled any more, or the process leaves.
///
/// `what` is for the log.
pub async fn retry_until_done<T, F>(
    tasks: &Tasks,
    what: &'static str,
    mut step: impl FnMut() -> F,
) -> Option<T>
where
    F: Future<Output = Result<T, StoreError>>,
{
    let give_up = Instant::now() + CHARGE_LIFE.to_std().unwrap_or_default();
    let mut pause = FIRST_PAUSE;
    loop {
        let error = match unless_leaving(tasks, step()).await {
            Ok(done) => return Some(done),
            Err(error) => anyhow!(error),
        };
        let in_time = Instant::now() + pause < give_up;
        if !in_time || tasks.aborting().run_until_cancelled(sleep(pause)).await.is_none() {
            warn!(what, error = format!("{error:#}"), "left unsettled");
            return None;
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}

/// Waits for a step to its end, but no longer than a moment when the process leaves.
async fn unless_leaving<T>(
    tasks: &Tasks,
    step: impl Future<Output = Result<T, StoreError>>,
) -> Result<T, StoreError> {
    let leaving = async {
        tasks.aborting().cancelled().await;
        sleep(LAST_STATEMENT).await;
    };
    tokio::select! {
        biased;
        answer = step => answer,
        () = leaving => Err(StoreError::TimedOut),
    }
}

/// An attempt that is about to be charged.
pub(super) struct Charging {
    pub(super) store: Store,
    /// The ladder for strangers as tables, and the failures after which a known network counts as a
    /// stranger.
    pub(super) rules: (Arc<Table>, u32),
    /// Who may take charges back.
    pub(super) back: Arc<Semaphore>,
    pub(super) request: ChargeRequest,
    pub(super) id: Uuid,
    pub(super) now: DateTime<Utc>,
}

impl Charging {
    /// Charges the attempt in a task of its own, which keeps `turn` until the database has answered.
    /// Dropped at any point, it leaves no charge.
    pub(super) async fn begin(
        self,
        tasks: &Tasks,
        turn: OwnedSemaphorePermit,
    ) -> Result<(Resolved, Option<HeldCharge>), StoreError> {
        let (answer, answered) = oneshot::channel();
        let of_task = tasks.clone();
        tasks.spawn(async move {
            // With an answer that nobody takes goes the charge in it.
            let _ = answer.send(self.run(of_task, turn).await);
        });
        // The task is gone only with the runtime.
        answered.await.unwrap_or(Err(StoreError::TimedOut))
    }

    async fn run(
        self,
        tasks: Tasks,
        turn: OwnedSemaphorePermit,
    ) -> Result<(Resolved, Option<HeldCharge>), StoreError> {
        let Self { store, rules: (table, known_network), back, request, id, now } = self;
        let mut connection = store.connection().await?;
        // From here on the statement may be carried out whether or not its answer arrives.
        let uncertain =
            UncertainCharge { id, guard_key: request.name_key.into(), name: request.name.clone() };
        let charged = connection.reserve(&request, id, now, (&table, known_network));
        let resolved = unless_leaving(&tasks, charged).await.inspect_err(|error| {
            if error.leaves_doubt() {
                uncertain.take_back(store.clone(), tasks.clone(), Arc::clone(&back));
            }
        })?;
        drop(connection);
        let guard_key = resolved.guard_key;
        let held = resolved.budget.map(|budget| HeldCharge {
            charge: Charge { id, guard_key, budget },
            back_to: Some((store, tasks, back)),
            turn: Some(turn),
        });
        Ok((resolved, held))
    }
}

/// A charge that is there, or not, or that comes yet: the database did not say.
struct UncertainCharge {
    id: Uuid,
    /// Where it stands if no account has the name.
    guard_key: GuardKey,
    name: Option<LoginName>,
}

impl UncertainCharge {
    /// Takes it back if it comes while that can be done.
    fn take_back(&self, store: Store, tasks: Tasks, back: Arc<Semaphore>) {
        let Self { id, guard_key, name } = self;
        let (id, guard_key, name) = (*id, *guard_key, name.clone());
        tasks.clone().spawn(async move {
            let (store, back, guard_key, name) = (&store, &back, &guard_key, name.as_ref());
            let release = || async move {
                // As with those that are known to be there: few at once.
                let _place = back.acquire().await.ok();
                match store.release(id, guard_key, name).await {
                    // It may come yet.
                    Ok(false) => Err(StoreError::TimedOut),
                    other => other,
                }
            };
            retry_until_done(&tasks, "a charge that may have been made", release).await;
        });
    }
}

/// A charge in somebody's hands. Dropped, it is taken back.
#[derive(Debug)]
pub struct HeldCharge {
    charge: Charge,
    back_to: Option<(Store, Tasks, Arc<Semaphore>)>,
    /// The turn by which it was made. One that comes too late for its caller gives it back when it is
    /// taken back: attempts that nobody waits for any more do not pile up in a slow database.
    turn: Option<OwnedSemaphorePermit>,
}

impl HeldCharge {
    /// The same charge, without its turn: whoever asked for it has it now.
    pub(super) fn taken(mut self) -> Self {
        self.turn = None;
        self
    }

    /// Among which failures it is counted.
    #[must_use]
    pub fn budget(&self) -> Budget {
        self.charge.budget
    }

    /// The charge, for whoever settles it: nobody takes it back any more.
    #[must_use]
    pub fn into_charge(mut self) -> Charge {
        self.back_to = None;
        self.charge.clone()
    }
}

impl Drop for HeldCharge {
    fn drop(&mut self) {
        let Some((store, tasks, back)) = self.back_to.take() else { return };
        // Without a runtime the process is at its end.
        if Handle::try_current().is_err() {
            return;
        }
        let Charge { id, guard_key, .. } = self.charge;
        let turn = self.turn.take();
        tasks.clone().spawn(async move {
            let (store, back) = (&store, &back);
            let release = || async move {
                // Of a flood that is turned away all charges are taken back: few at once, so that the
                // connections are left to others. Should the queue ever be closed, it is no bound.
                let _place = back.acquire().await.ok();
                store.release(id, &guard_key, None).await
            };
            retry_until_done(&tasks, "a charge is not taken back: it counts as a failure", release)
                .await;
            drop(turn);
        });
    }
}
