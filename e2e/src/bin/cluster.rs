//! `./dev test cluster`.

use std::process::ExitCode;

use clap::Parser as _;
use devstack::signals::interruptible;
use e2e::cluster::program::{self, ClusterOptions};

#[tokio::main]
async fn main() -> ExitCode {
    match interruptible(program::run(&ClusterOptions::parse())).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nthe proofs on a cluster ended: {error:#}");
            ExitCode::FAILURE
        }
    }
}
