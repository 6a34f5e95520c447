//! The suite `lint`: each check counts as one test.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use tokio::time::timeout;

use super::cargo::Build;
use super::servers::{Run, Servers};
use super::tally::Tally;
use crate::console::{say, step};
use crate::layers::Layers;
use crate::program::Program;
use crate::sqlx_data::Live;
use crate::{checkout, install};

/// How long the list of advisories may take to come; without a network it never does.
const ADVISORIES_LIMIT: Duration = Duration::from_mins(1);

/// The Go modules by their folders, and which packages of them are vetted: not those that only import, such as the name
/// server with its plugins, which would be compiled for it.
const GO_MODULES: [(&str, &[&str]); 6] = [
    ("dex", &["./..."]),
    ("helm/tools", &["./..."]),
    ("helm/tests", &["./..."]),
    ("images", &["./..."]),
    ("devstack/kubernetes/dns", &["./pause"]),
    ("devstack/kubernetes/kube", &[]),
];

/// Runs all checks.
pub(crate) async fn run(build: &Build, run: &Run, servers: &Servers) -> Result<Tally> {
    let cargo = |args: &[&str]| Program::new("cargo").args(args).with_whole_env();
    let deny = |args: &[&str]| {
        Program::new(install::cargo_tool_program("cargo-deny")).args(args).with_whole_env()
    };
    let mut tally = Tally::default();

    tally += check(run, "cargo fmt", cargo(&["fmt", "--all", "--check"])).await?;
    for (module, packages) in GO_MODULES {
        let folder = checkout::root().join(module);
        let go = |program: &str| Program::new(program).dir(&folder).with_whole_env();
        let sources = go("gofmt").args(["-d"]).args(go_sources(&folder)?);
        tally += check(run, &format!("gofmt {module}"), sources).await?;
        if !packages.is_empty() {
            let vet = go("go").args(["vet"]).args(packages);
            tally += check(run, &format!("go vet {module}"), vet).await?;
        }
    }

    tally += layers(build)?;
    tally += check(run, "cargo-shear", shear(checkout::root())).await?;

    // One compilation for both: clippy reads the code while the macros ask the database.
    let dsn = servers.postgres_dsn().context("lint has PostgreSQL")?;
    let live = Live::prepare(dsn, &run.dir().join("sqlx")).await?;
    let clippy = cargo(&["clippy", "--workspace", "--all-targets", "--", "-D", "warnings"]);
    let clippy = live.compile(clippy, async |program| check(run, "clippy", program).await);
    tally += clippy.await?;
    let differing = live.differing()?;
    for file in &differing {
        say(format!("connector/.sqlx/{file} is not what the database says"));
    }
    if !differing.is_empty() {
        say("run ./dev sqlx and commit connector/.sqlx");
    }
    tally += Tally::one(differing.is_empty());

    // A workspace of its own: nothing else tells that its lock file no longer fits.
    let fuzzers = ["tree", "--locked", "--depth", "0", "--manifest-path", "fuzz/Cargo.toml"];
    let fuzzers = cargo(&fuzzers).dir(checkout::root());
    tally += check(run, "fuzz lock file", fuzzers).await?;

    let rules = ["check", "bans", "licenses", "sources"];
    tally += check(run, "cargo-deny", deny(&rules)).await?;
    let log = run.log("cargo-deny-fetch");
    let fetched = deny(&["fetch", "db"]);
    if timeout(ADVISORIES_LIMIT, fetched.run(&log)).await.is_ok_and(|fetched| fetched.is_ok()) {
        let known = deny(&["check", "--disable-fetch", "advisories"]);
        tally += check(run, "cargo-deny advisories", known).await?;
    } else {
        say("advisories: not checked, their database is out of reach");
    }
    Ok(tally)
}

/// Whether the modules of every crate lie in layers. They are drawn in `.dev/layers.txt`.
fn layers(build: &Build) -> Result<Tally> {
    let (mut tally, mut drawings) = (Tally::default(), String::new());
    for (name, root) in build.crates() {
        let Layers { drawing, faults } = Layers::read(name, root)?;
        for fault in &faults {
            say(fault);
        }
        tally += Tally::one(faults.is_empty());
        drawings += &drawing;
    }
    let file = checkout::state().join("layers.txt");
    fs::write(&file, drawings).with_context(|| format!("{} cannot be written", file.display()))?;
    say(format!("layers: {tally}, drawn in {}", file.display()));
    Ok(tally)
}

/// Looks for dependencies that nobody uses, and files that belong to no module, in a workspace.
fn shear(workspace: &Path) -> Program {
    Program::new(install::cargo_tool_program("cargo-shear"))
        .args(["--locked", "--deny-warnings"])
        .dir(workspace)
        .with_whole_env()
}

/// One check: passed when the program succeeds; what it said is shown otherwise.
async fn check(run: &Run, name: &str, program: Program) -> Result<Tally> {
    let output = run.dir().join("output");
    let log = run.log(&name.replace([' ', '/'], "-"));
    let process = program.start_split(&output, &log)?;
    let status = step(name, async { Ok(process.ended().await) }).await?;
    if !status.success() {
        say(fs::read_to_string(&output)?);
        say(fs::read_to_string(&log).unwrap_or_default());
        say(format!("{name} failed"));
    }
    Ok(Tally::one(status.success()))
}

/// The folders and files of a Go module that are ours.
fn go_sources(module: &Path) -> Result<Vec<PathBuf>> {
    let ours = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default();
        let go = path.extension().is_some_and(|extension| extension == "go");
        (path.is_dir() && name != "vendor" && name != "bin") || go
    };
    Ok(fs::read_dir(module)
        .with_context(|| format!("no {}", module.display()))?
        .flatten()
        .map(|entry| entry.path())
        .filter(ours)
        .collect())
}

#[cfg(test)]
#[path = "lint_tests.rs"]
mod tests;
