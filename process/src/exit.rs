//! How a process ends: its exit codes.

use std::process::ExitCode;

use crate::output;

/// The configuration cannot be used: `EX_USAGE` of `sysexits.h`. Restarting does not help.
pub const CONFIG: u8 = 64;

/// The program ran and failed. A restart may help.
pub const FAILURE: u8 = 1;

/// The code to leave with when a command has `ended`. For an error it is what `failed` returns, which also
/// tells the error to whoever started the program; but whoever reads no further has got what they wanted.
#[must_use]
pub fn code(
    ended: anyhow::Result<ExitCode>,
    failed: impl FnOnce(&anyhow::Error) -> u8,
) -> ExitCode {
    match ended {
        Ok(code) => code,
        Err(error) if output::is_broken_pipe(&error) => ExitCode::SUCCESS,
        Err(error) => ExitCode::from(failed(&error)),
    }
}

#[cfg(test)]
#[path = "exit_tests.rs"]
mod tests;
