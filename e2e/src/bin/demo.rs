//! `./dev demo`.

use std::process::ExitCode;

use clap::Parser as _;
use e2e::demo::{self, DemoOptions};

#[tokio::main]
async fn main() -> ExitCode {
    match demo::run(&DemoOptions::parse()).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("\nthe demo failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}
