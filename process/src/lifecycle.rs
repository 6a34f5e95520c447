//! The lifecycle of a process: one owner of signals, stop tokens, tasks and the exit code.
//!
//! A stop has two steps. The *soft* token says: accept nothing new, finish what you hold. After the
//! grace period, or at a second signal, the *hard* token says: leave now. Every task of the process
//! is tracked, so a stop ends only when the last of them has.

use std::future::Future;
use std::panic::PanicHookInfo;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::runtime::Runtime;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tracing::{error, info, warn};

use crate::{exit, telemetry};

/// How long tasks get after the hard token before the process leaves without them.
const HARD_STOP: Duration = Duration::from_secs(2);

/// Runs the process on a runtime of its own, and returns the code to exit with. A panic is logged by its place alone. A thread that is still
/// blocked then is left behind: a call that never returns must not hold a process that has stopped.
///
/// # Panics
/// When the operating system refuses threads.
pub fn run(main: impl Future<Output = ExitCode>) -> ExitCode {
    std::panic::set_hook(Box::new(log_panic));
    let runtime = Runtime::new().expect("threads can be started");
    let code = runtime.block_on(main);
    runtime.shutdown_background();
    code
}

/// Tells where a panic was, and not its message, which may repeat what somebody typed: that of a slice that ends within a
/// character has the whole text.
fn log_panic(panic: &PanicHookInfo<'_>) {
    let place = panic.location().map(ToString::to_string).unwrap_or_default();
    let thread = std::thread::current();
    error!(place, thread = thread.name().unwrap_or_default(), "a panic");
}

/// Owns the life of a process from its first task to its exit code.
#[derive(Debug)]
pub struct Lifecycle {
    tasks: Tasks,
    grace: Duration,
}

/// A handle to start tasks that the [`Lifecycle`] waits for.
#[derive(Debug, Clone)]
pub struct Tasks {
    tracker: TaskTracker,
    observers: TaskTracker,
    ended: CancellationToken,
    soft: CancellationToken,
    hard: CancellationToken,
    failed: Arc<AtomicBool>,
}

impl Lifecycle {
    /// A lifecycle whose stop gives tasks `grace` to finish by themselves.
    #[must_use]
    pub fn new(grace: Duration) -> Self {
        let tasks = Tasks {
            tracker: TaskTracker::new(),
            observers: TaskTracker::new(),
            ended: CancellationToken::new(),
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            failed: Arc::new(AtomicBool::new(false)),
        };
        Self { tasks, grace }
    }

    /// The handle for starting tasks.
    #[must_use]
    pub fn tasks(&self) -> Tasks {
        self.tasks.clone()
    }

    /// Waits for SIGTERM, SIGINT, a dead worker or [`Tasks::stop`], stops in order, and returns the
    /// code to exit with: success unless a worker died or tasks had to be left behind. The last
    /// spans are sent after the last task.
    ///
    /// # Panics
    /// When the operating system refuses signal handlers, which leaves no way to stop in order.
    pub async fn run_until_stopped(self) -> ExitCode {
        let Self { tasks, grace } = self;
        let mut terminate = signal(SignalKind::terminate()).expect("SIGTERM can be handled");
        let mut interrupt = signal(SignalKind::interrupt()).expect("SIGINT can be handled");

        tokio::select! {
            _ = terminate.recv() => info!(signal = "SIGTERM", "stopping"),
            _ = interrupt.recv() => info!(signal = "SIGINT", "stopping"),
            () = tasks.soft.cancelled() => info!("stopping"),
        }
        tasks.soft.cancel();
        tasks.tracker.close();

        tokio::select! {
            () = tasks.tracker.wait() => {}
            () = tokio::time::sleep(grace) => warn!(grace_s = grace.as_secs(), "grace period is over"),
            _ = terminate.recv() => warn!("second signal: leaving now"),
            _ = interrupt.recv() => warn!("second signal: leaving now"),
        }
        tasks.hard.cancel();
        if tokio::time::timeout(HARD_STOP, tasks.tracker.wait()).await.is_err() {
            error!(tasks = tasks.tracker.len(), "leaving with unfinished tasks");
            tasks.failed.store(true, Ordering::Relaxed);
        }
        tasks.ended.cancel();
        tasks.observers.close();
        tasks.observers.wait().await;
        telemetry::flush().await;

        if tasks.failed.load(Ordering::Relaxed) {
            return ExitCode::from(exit::FAILURE);
        }
        info!("stopped");
        ExitCode::SUCCESS
    }
}

impl Tasks {
    /// Starts a task that must live until the process stops. When it ends earlier, by success,
    /// error or panic, the process stops in order and exits with [`exit::FAILURE`].
    pub fn worker<F>(&self, name: &'static str, future: F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let tasks = self.clone();
        let run = self.tracker.spawn(future);
        // The watcher is tracked too: a stop must not end before the verdict on its worker.
        self.spawn(async move {
            let fault = match run.await {
                Ok(Ok(())) if tasks.soft.is_cancelled() => return,
                Ok(Ok(())) => "it ended although the process runs on".to_owned(),
                Ok(Err(error)) => format!("{error:#}"),
                // Its message is not to be repeated.
                Err(ended) if ended.is_panic() => "it panicked".to_owned(),
                Err(ended) => ended.to_string(),
            };
            error!(worker = name, fault, "worker died: the process stops");
            tasks.failed.store(true, Ordering::Relaxed);
            tasks.soft.cancel();
        });
    }

    /// Starts a task that may end at any time. A stop waits for it.
    pub fn spawn<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.tracker.spawn(future);
    }

    /// Starts a task that watches the others, such as the admin port: a stop does not wait for it,
    /// and drops it after every other task has ended.
    pub fn observer<F>(&self, future: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let ended = self.ended.clone();
        self.observers.spawn(async move {
            tokio::select! {
                () = future => {}
                () = ended.cancelled() => {}
            }
        });
    }

    /// Cancelled when the process is to accept nothing new and finish what it holds.
    #[must_use]
    pub fn stopping(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when the process is to leave at once.
    #[must_use]
    pub fn aborting(&self) -> &CancellationToken {
        &self.hard
    }

    /// Asks for an orderly stop.
    pub fn stop(&self) {
        self.soft.cancel();
    }
}
