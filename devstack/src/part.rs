//! A part of the stack: a program that is started, watched, stopped, killed, frozen.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Result, anyhow, bail};
use nix::sys::signal::Signal;
use tokio::time::{Instant, sleep, timeout};

use crate::logs;
use crate::program::{Process, Program};

/// A check that succeeds once a part serves.
pub type Probe =
    Box<dyn Fn() -> Pin<Box<dyn Future<Output = Result<()>> + Send>> + Send + Sync + 'static>;

/// Makes a probe of an async closure.
pub fn probe<F, R>(check: F) -> Probe
where
    F: Fn() -> R + Send + Sync + 'static,
    R: Future<Output = Result<()>> + Send + 'static,
{
    Box::new(move || Box::pin(check()))
}

/// A hang limit, not a promise: a loaded two-core machine starts a JVM in a few seconds.
const READY_LIMIT: Duration = Duration::from_secs(90);
const PROBE_LIMIT: Duration = Duration::from_secs(10);
const PROBE_PAUSE: Duration = Duration::from_millis(50);
/// More than the grace of chat-api, 15 s, and its last two.
const STOP_GRACE: Duration = Duration::from_secs(20);

/// What is known of a part's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It runs under this process id.
    Running(i32),
    /// It was not started, or was stopped or killed on request.
    Stopped,
    /// It ended by itself.
    Died(ExitStatus),
}

/// One program of a stack under its name, with its log and its readiness.
pub struct Part {
    name: String,
    program: Program,
    log: PathBuf,
    ready: Probe,
    stop_signal: Signal,
    process: Mutex<Option<Arc<Process>>>,
}

impl Part {
    /// A part that is not started yet; its log is `log/NAME.log` in the state directory.
    pub fn new(name: impl Into<String>, program: Program, state: &Path, ready: Probe) -> Self {
        let name = name.into();
        Self {
            log: state.join("log").join(format!("{name}.log")),
            name,
            program,
            ready,
            stop_signal: Signal::SIGTERM,
            process: Mutex::new(None),
        }
    }

    /// Stops it by another signal than SIGTERM.
    #[must_use]
    pub fn stop_signal(mut self, signal: Signal) -> Self {
        self.stop_signal = signal;
        self
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The path of its log.
    #[must_use]
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// The last lines of its log.
    #[must_use]
    pub fn last_lines(&self, lines: usize) -> String {
        logs::tail(&self.log, lines)
    }

    /// What is known of its process.
    #[must_use]
    pub fn state(&self) -> State {
        match self.process() {
            None => State::Stopped,
            Some(process) => match process.exit() {
                Some(status) => State::Died(status),
                None => State::Running(process.pid().as_raw()),
            },
        }
    }

    /// Starts it, and waits until it is ready.
    pub async fn start(&self) -> Result<()> {
        self.start_with(&[]).await
    }

    /// The same with more in its environment, for this time.
    pub async fn start_with(&self, env: &[(&str, &OsStr)]) -> Result<()> {
        if let State::Running(pid) = self.state() {
            bail!("{} runs already (process {pid})", self.name);
        }
        let program = self.program.clone();
        let program = env.iter().fold(program, |program, (name, value)| program.env(name, value));
        let process = Arc::new(program.start(&self.log)?);
        *self.slot() = Some(Arc::clone(&process));
        let outcome = tokio::select! {
            status = process.ended() => Err(anyhow!("{} ended while starting ({status})", self.name)),
            ready = self.ready() => ready,
        };
        outcome.map_err(|error| {
            *self.slot() = None;
            anyhow!("{error:#}; the last lines of {}:\n{}", self.log.display(), self.last_lines(20))
        })
    }

    /// Waits until it serves.
    pub async fn ready(&self) -> Result<()> {
        let deadline = Instant::now() + READY_LIMIT;
        loop {
            let error = match timeout(PROBE_LIMIT, (self.ready)()).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(error)) => error,
                Err(_) => anyhow!("no answer within {} s", PROBE_LIMIT.as_secs()),
            };
            if Instant::now() >= deadline {
                bail!("{} is not ready after {} s: {error:#}", self.name, READY_LIMIT.as_secs());
            }
            sleep(PROBE_PAUSE).await;
        }
    }

    /// Stops it in order, and kills it when it takes longer than 20 s. Tells whether it stopped
    /// by itself.
    pub async fn stop(&self) -> bool {
        match self.take() {
            Some(process) => process.stop(self.stop_signal, STOP_GRACE).await,
            None => true,
        }
    }

    /// Kills it with all it started, as a crash would.
    pub async fn kill(&self) {
        if let Some(process) = self.take() {
            process.kill_whole().await;
        }
    }

    /// Stops the part and starts it again.
    pub async fn restart(&self) -> Result<()> {
        self.stop().await;
        self.start().await
    }

    /// Stops the clock of it and of all it started: it stays, and does nothing from now on.
    pub fn freeze(&self) {
        if let Some(process) = self.process() {
            process.freeze_tree();
        }
    }

    /// Lets a frozen part go on.
    pub fn thaw(&self) {
        if let Some(process) = self.process() {
            process.thaw_tree();
        }
    }

    fn process(&self) -> Option<Arc<Process>> {
        self.slot().clone()
    }

    fn take(&self) -> Option<Arc<Process>> {
        self.slot().take()
    }

    fn slot(&self) -> std::sync::MutexGuard<'_, Option<Arc<Process>>> {
        self.process.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
