//! The program behind `./dev bench`.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    bench::cli::main().await
}
