//! `./dev fuzz`: libFuzzer on each target of `fuzz/`, with the pinned toolchain.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use clap::Args;

use crate::console::{say, step};
use crate::install::{self, Need};
use crate::program::Program;
use crate::{checkout, logs};

/// How long and what.
#[derive(Debug, Args)]
pub(crate) struct Fuzz {
    /// The targets, as fuzz/targets names them; without a name all of them
    targets: Vec<String>,

    /// How long each of them runs
    #[arg(long, default_value = "60", value_parser = clap::value_parser!(u32).range(1..))]
    seconds: u32,
}

/// Runs the targets one after another; succeeds when none found anything.
pub(crate) async fn run(options: &Fuzz) -> Result<ExitCode> {
    install::ensure(&[Need::CargoFuzz]).await?;
    let all = targets()?;
    let wanted = if options.targets.is_empty() { &all } else { &options.targets };
    let log = checkout::state().join("log/build-fuzz.log");
    step("build the fuzz targets", cargo_fuzz("build").run(&log)).await?;
    let (mut total, mut found) = (0, false);
    for target in wanted {
        let outcome = FuzzTarget { name: target }.run(options.seconds).await?;
        say(format!("{target}: {} executions", outcome.executions));
        total += outcome.executions;
        if let Some(what) = outcome.found {
            say(format!("{target}: {what}"));
            found = true;
        }
    }
    say(format!("{total} executions of {} targets", wanted.len()));
    Ok(if found { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

/// The stable compiler, told to accept the flags that instruments need. Nothing of ours that a target
/// reaches is unsafe, so there is nothing for a sanitizer to find that the properties would not.
fn cargo_fuzz(command: &str) -> Program {
    let program = install::cargo_tool_program("cargo-fuzz");
    Program::new(program)
        .args([command, "--sanitizer", "none", "--fuzz-dir", "fuzz", "--target-dir", "target/fuzz"])
        .with_whole_env()
        .env("RUSTC_BOOTSTRAP", "1")
}

fn targets() -> Result<Vec<String>> {
    let folder = checkout::root().join("fuzz/targets");
    let entries = fs::read_dir(&folder).with_context(|| format!("no {}", folder.display()))?;
    let mut names: Vec<String> = entries
        .flatten()
        .filter_map(|entry| entry.path().file_stem()?.to_str().map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}

struct FuzzTarget<'a> {
    name: &'a str,
}

struct Outcome {
    executions: u64,
    /// The last words of a target that found something.
    found: Option<String>,
}

impl FuzzTarget<'_> {
    async fn run(&self, seconds: u32) -> Result<Outcome> {
        let state = checkout::state().join("fuzz").join(self.name);
        let (corpus, log) = (state.join("corpus"), state.join("log"));
        fs::create_dir_all(&corpus)
            .with_context(|| format!("{} cannot be made", corpus.display()))?;
        // What is appended there was said by an earlier run.
        let _ = fs::remove_file(&log);
        // libFuzzer adds what it finds interesting to the first corpus, and only reads the second.
        let program = cargo_fuzz("run")
            .args([self.name])
            .args([&corpus, &self.seeds()])
            .args(["--", "-print_final_stats=1", "-timeout=10", "-rss_limit_mb=2048"])
            .args([format!("-max_total_time={seconds}")]);
        let process = program.start(&log)?;
        let status = step(self.name, async { Ok(process.ended().await) }).await?;
        let said = fs::read_to_string(&log).unwrap_or_default();
        let found = (!status.success()).then(|| {
            let input = said.lines().find_map(|line| line.split_once("Test unit written to "));
            match input {
                Some((_, path)) => format!("found {path}\n{}", panic(&said)),
                None => format!(
                    "{status}; the last lines of {}:\n{}",
                    log.display(),
                    logs::tail(&log, 20)
                ),
            }
        });
        Ok(Outcome { executions: executions(&said), found })
    }

    fn seeds(&self) -> PathBuf {
        Path::new(checkout::root()).join("fuzz/corpus").join(self.name)
    }
}

/// What libFuzzer says it ran, or how far it came when it stopped at something.
fn executions(said: &str) -> u64 {
    let finals =
        said.lines().rev().find_map(|line| line.strip_prefix("stat::number_of_executed_units:"));
    let progress =
        || said.lines().rev().find_map(|line| line.strip_prefix('#')?.split_whitespace().next());
    finals
        .map(str::trim)
        .or_else(progress)
        .and_then(|number| number.parse().ok())
        .unwrap_or_default()
}

/// The message of the panic in what libFuzzer printed.
fn panic(said: &str) -> String {
    let from = said.find("panicked at").unwrap_or(0);
    said[from..].lines().take(6).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn executions_are_those_at_the_end_or_the_last_that_were_shown() {
        let ended = "#2\tINITED cov: 9\nDone 4321 runs in 1 second(s)\nstat::number_of_executed_units: 4321\n";
        assert_eq!(executions(ended), 4321);
        assert_eq!(
            executions("#2\tINITED cov: 9\n#512\tpulse cov: 9\nthread panicked at x\n"),
            512
        );
        assert_eq!(executions("error: could not compile\n"), 0);
    }

    #[test]
    fn a_panic_is_shown_from_its_first_word() {
        let said = "#512 pulse\nthread '<unnamed>' panicked at a.rs:1:2:\nwrong\n";
        assert_eq!(panic(said), "panicked at a.rs:1:2:\nwrong");
    }
}
