//! The program behind `./dev`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    devstack::cli::main().await
}
