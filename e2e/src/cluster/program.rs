//! The program behind `./dev test cluster`: one proof after another on one cluster.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use devstack::console::say;
use devstack::{cluster, install};
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

    /// Fail when it takes longer than promised, too: for a machine on which nobody else is at work.
    #[arg(long)]
    check: bool,
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
            "!! What needs no cluster is proved by ./dev test chart: a real API server takes every object of every",
        );
        say("!! file of values, and what the chart renders, refuses and promises is tested.");
        say(format!("0 passed, 0 failed, {} skipped", skipped.len()));
        return Ok(ExitCode::SUCCESS);
    }
    install::ensure(&cluster::NEEDS).await?;
    // What a killed cluster left would count as what was there before.
    cluster::clean()?;
    let before = Before::look()?;
    let mut stage = Stage::open(options.seed, options.check).await?;
    let mut tally = Tally::default();
    for proof in proofs {
        say(format!("── {}: {}", proof.name, proof.promise));
        let start = Instant::now();
        let outcome = within_limit((proof.run)(&mut stage)).await;
        let outcome = outcome.and_then(|()| stage.cluster.require_alive());
        let has_failed = outcome.is_err();
        tally.count(proof.name, start, outcome);
        if has_failed && let Err(error) = within_limit(after_failure(&mut stage, proof.name)).await
        {
            say(format!("    the next ones find another stage than they expect: {error:#}"));
        }
    }
    drop(stage);
    let start = Instant::now();
    let (name, promise) = REMAINS;
    say(format!("── {name}: {promise}"));
    let outcome = match remains::nothing(&before) {
        Ok(()) if options.proofs.is_empty() => within_limit(remains::killed(&before)).await,
        outcome => outcome,
    };
    tally.count(name, start, outcome);
    let Tally { passed, failed } = tally;
    say(format!("{passed} passed, {failed} failed"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// What hangs fails, and the others have their turn.
async fn within_limit(work: impl Future<Output = Result<()>>) -> Result<()> {
    match timeout(HANGS, work).await {
        Ok(outcome) => outcome,
        Err(_) => bail!("it hung for {} s", HANGS.as_secs()),
    }
}

/// Writes down what is there, and has the stage be as it was before.
async fn after_failure(stage: &mut Stage, proof: &str) -> Result<()> {
    let told = stage.cluster.record(proof).await?;
    say(format!("    pods, events and logs are in {}", told.display()));
    stage.restore().await
}

#[derive(Default)]
struct Tally {
    passed: u32,
    failed: u32,
}

impl Tally {
    fn count(&mut self, name: &str, start: Instant, outcome: Result<()>) {
        let verdict = match outcome {
            Ok(()) => {
                self.passed += 1;
                "passed"
            }
            Err(error) => {
                self.failed += 1;
                say(format!("  ! {error:#}"));
                "FAILED"
            }
        };
        say(format!("{name}: {verdict} in {:.0} s", start.elapsed().as_secs_f32()));
    }
}
