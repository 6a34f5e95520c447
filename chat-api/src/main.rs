//! The chat backend's program.

use std::process::ExitCode;

use chat_api::cli::Cli;
use service_process::cli::parse_or_exit;

#[tokio::main]
async fn main() -> ExitCode {
    match parse_or_exit::<Cli>() {
        Ok(cli) => cli.run().await,
        Err(code) => code,
    }
}
