//! The signals that end a command.

use std::process::ExitCode;

use anyhow::Result;
use tokio::signal::unix::{SignalKind, signal};

use crate::console::say;

/// Waits for Ctrl-C, SIGTERM, or the end of the terminal.
pub(crate) async fn terminated() -> Result<()> {
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let mut hangup = signal(SignalKind::hangup())?;
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
        _ = hangup.recv() => {}
    }
    Ok(())
}

/// Does the work of a command until it ends or a signal comes. Then it is dropped, and takes down whatever it has
/// started before the command ends.
pub fn interruptible(
    work: impl Future<Output = Result<ExitCode>>,
) -> impl Future<Output = Result<ExitCode>> {
    // On the heap: the work of a command is a large future.
    let mut work = Box::pin(work);
    async move {
        tokio::select! {
            outcome = &mut work => return outcome,
            _ = terminated() => {}
        }
        say("interrupted");
        drop(work);
        Ok(ExitCode::from(130))
    }
}
