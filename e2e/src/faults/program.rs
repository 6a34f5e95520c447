//! The program behind `./dev test faults`: one scenario after another on one stack, with figures.

use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Result, bail};
use clap::Parser;
use devstack::console::{say, step};
use tokio::time::{Instant, timeout};

use super::crew::Report;
use super::figures::Figures;
use super::scale::Scale;
use super::scenarios::{ALL, Scenario};
use super::stage::{REPLICAS, Stage};

/// A hang limit for one scenario; the longest takes ten minutes, of the short run half a minute.
const HANGS: Duration = Duration::from_mins(25);
const HANGS_SHORT: Duration = Duration::from_mins(5);
/// Lines of each replica's log that a failure shows.
const LAST_LINES: usize = 8;

/// Disturb a running stack, and compare what clients heard with the log.
#[derive(Debug, Parser)]
#[command(name = "faults", disable_version_flag = true)]
pub struct FaultsOptions {
    /// The scenarios to run; without a name all of them.
    #[arg(value_parser = ALL.map(|scenario| scenario.name))]
    scenarios: Vec<String>,

    /// Two minutes instead of half an hour.
    #[arg(long)]
    short: bool,

    /// Messages under random disconnects; 100000, or 2000 in the short run, if left out.
    #[arg(long)]
    messages: Option<u64>,

    /// What chance begins with. The kernel's scheduler has its own.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// Runs them; the last line says how many passed and failed.
pub async fn run(options: &FaultsOptions) -> Result<ExitCode> {
    let named = |scenario: &&Scenario| match options.scenarios.as_slice() {
        [] => scenario.short || !options.short,
        names => names.iter().any(|name| name == scenario.name),
    };
    let scenarios: Vec<&Scenario> = ALL.iter().filter(named).collect();
    let messages = options.messages.unwrap_or(if options.short { 2_000 } else { 100_000 });
    let scale = Scale { short: options.short, messages };
    let people = if options.short { 13 } else { 100 };
    let opening = format!("start {REPLICAS} replicas, sign in {people} people");
    let stage = step(&opening, Stage::open(people, options.seed)).await?;

    let (mut total, mut passed, mut failed) = (Figures::default(), 0, 0);
    for scenario in scenarios {
        say(format!("── {}: {}", scenario.name, scenario.promise));
        let start = Instant::now();
        let report = run_one(&stage, scenario, scale).await;
        let is_fine = show(&stage, &report);
        if let Ok(report) = &report {
            total += &report.figures;
        }
        let verdict = if is_fine { "passed" } else { "FAILED" };
        say(format!("{}: {verdict} in {:.0} s", scenario.name, start.elapsed().as_secs_f32()));
        passed += u32::from(is_fine);
        failed += u32::from(!is_fine);
        stage.restore().await?;
    }
    say(format!("── altogether\n{total}"));
    stage.stack.stop().await;
    say(format!("{passed} passed, {failed} failed"));
    Ok(if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

async fn run_one(stage: &Stage, scenario: &Scenario, scale: Scale) -> Result<Report> {
    let limit = scale.of(HANGS_SHORT, HANGS);
    match timeout(limit, (scenario.run)(stage, scale)).await {
        Ok(report) => report,
        Err(_) => bail!("it hung for {} s", limit.as_secs()),
    }
}

/// Shows what came of a scenario, and whether it is as promised.
fn show(stage: &Stage, report: &Result<Report>) -> bool {
    let findings = match report {
        Ok(Report { figures, findings }) => {
            say(figures.to_string());
            findings.clone()
        }
        Err(error) => vec![format!("{error:#}")],
    };
    for finding in findings.iter().take(20) {
        say(format!("  ! {finding}"));
    }
    if !findings.is_empty() {
        for replica in 0..REPLICAS {
            if let Ok(part) = stage.replica(replica) {
                say(format!("  {}:\n{}", part.name(), part.last_lines(LAST_LINES)));
            }
        }
    }
    findings.is_empty()
}
