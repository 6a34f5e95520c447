//! The program behind `./dev test cluster`: one proof after another on one cluster.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use devstack::cluster;
use devstack::console::say;
use tokio::time::{Instant, timeout};

use super::proofs::{ALL, Proof};
use super::remains::{self, Before};
use super::stage::Stage;

/// A hang limit for one proof.
const HANGS: Duration = Duration::from_mins(10);
/// What is proved after the cluster has gone.
const REMAINS: (&str, &str) =
    ("remains", "a cluster that is stopped leaves nothing, and neither does one that is killed");

/// Install the chart on a real cluster, and prove what is promised of it.
#[derive(Debug, Parser)]
#[command(name = "cluster", disable_version_flag = true)]
pub struct ClusterOptions {
    /// The proofs to make; without a name all of them.
    #[arg(value_parser = ALL.map(|proof| proof.name))]
    proofs: Vec<String>,

    /// What chance begins with. The kernel's scheduler has its own.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs them; the last line says how many passed, failed and were skipped.
pub async fn run(options: &ClusterOptions) -> Result<ExitCode> {
    let named = |proof: &&Proof| {
        options.proofs.is_empty() || options.proofs.iter().any(|name| name == proof.name)
    };
    let proofs: Vec<&Proof> = ALL.iter().filter(named).collect();
    if let Some(obstacle) = cluster::obstacle() {
        say("!! NO CLUSTER CAN RUN HERE, AND NOTHING BELOW IS PROVED BY THIS RUN");
        say(format!("!! {obstacle}"));
        let skipped: Vec<(&str, &str)> =
            proofs.iter().map(|proof| (proof.name, proof.promise)).chain([REMAINS]).collect();
        for (name, promise) in &skipped {
            say(format!("!! skipped {name}: {promise}"));
        }
        say(
            "!! What is checked without a cluster: that the chart renders with every file of values, what it refuses,",
        );
        say("!! and what its objects promise, by the suite `chart`.");
        say(format!("0 passed, 0 failed, {} skipped", skipped.len()));
        return Ok(ExitCode::SUCCESS);
    }
    let before = Before::look()?;
    let mut stage = Stage::open(options.seed).await?;
    let (mut passed, mut failed) = (0, 0);
    let mut count = |name: &str, start: Instant, outcome: Result<()>| {
        if let Err(error) = &outcome {
            say(format!("  ! {error:#}"));
        }
        let verdict = if outcome.is_ok() { "passed" } else { "FAILED" };
        say(format!("{name}: {verdict} in {:.0} s", start.elapsed().as_secs_f32()));
        passed += u32::from(outcome.is_ok());
        failed += u32::from(outcome.is_err());
    };
    for proof in proofs {
        say(format!("── {}: {}", proof.name, proof.promise));
        let start = Instant::now();
        let outcome = match timeout(HANGS, (proof.run)(&mut stage)).await {
            Ok(outcome) => outcome.and_then(|()| stage.cluster.require_alive()),
            Err(_) => bail!("{} hung for {} s", proof.name, HANGS.as_secs()),
        };
        if outcome.is_err() {
            let told = stage.cluster.record(proof.name).await?;
            say(format!("    pods, events and logs are in {}", told.display()));
        }
        count(proof.name, start, outcome);
    }
    drop(stage);
    let start = Instant::now();
    let (name, promise) = REMAINS;
    say(format!("── {name}: {promise}"));
    let outcome = match remains::nothing(&before) {
        Ok(()) if options.proofs.is_empty() => remains::killed(&before).await,
        outcome => outcome,
    };
    count(name, start, outcome);
    say(format!("{passed} passed, {failed} failed"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}
