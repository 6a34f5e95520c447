//! `./dev test faults`.

use std::process::ExitCode;

use clap::Parser as _;
use devstack::checkout;
use devstack::signals::interruptible;
use e2e::faults::program::{self, FaultsOptions};

#[tokio::main]
async fn main() -> ExitCode {
    // On the heap: a stack is large.
    let outcome = interruptible(Box::pin(program::run(&FaultsOptions::parse()))).await;
    checkout::give_back();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nthe fault runs ended: {error:#}");
            ExitCode::FAILURE
        }
    }
}
