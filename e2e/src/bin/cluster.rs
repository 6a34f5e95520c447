//! `./dev test cluster`.

use std::process::ExitCode;

use clap::Parser as _;
use devstack::checkout;
use devstack::signals::interruptible;
use e2e::cluster::program::{self, ClusterOptions};

#[tokio::main]
async fn main() -> ExitCode {
    let outcome = interruptible(program::run(&ClusterOptions::parse())).await;
    checkout::give_back();
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nthe proofs on a cluster ended: {error:#}");
            ExitCode::FAILURE
        }
    }
}
