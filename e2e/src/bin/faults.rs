//! `./dev test faults`.

use std::process::ExitCode;

use clap::Parser as _;
use e2e::faults::program::{self, FaultsOptions};

#[tokio::main]
async fn main() -> ExitCode {
    match Box::pin(program::run(&FaultsOptions::parse())).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nthe fault runs ended: {error:#}");
            ExitCode::FAILURE
        }
    }
}
