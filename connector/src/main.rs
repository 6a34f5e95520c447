//! The auth-connector program.

use std::process::ExitCode;

use auth_connector::cli::{self, Cli};

#[tokio::main]
async fn main() -> ExitCode {
    match service_process::cli::parse_or_exit::<Cli>() {
        Ok(cli) => cli::run(cli).await,
        Err(code) => code,
    }
}
