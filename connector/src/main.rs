//! The auth-connector program.

use std::process::ExitCode;

use auth_connector::cli::{self, Cli};
use service_process::cli::parse_or_exit;
use service_process::lifecycle;

fn main() -> ExitCode {
    match parse_or_exit::<Cli>() {
        Ok(cli) => lifecycle::run(cli::run(cli)),
        Err(code) => code,
    }
}
