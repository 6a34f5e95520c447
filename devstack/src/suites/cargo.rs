//! The Rust suites: everything is built once, then each package's test programs run.

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, Result};
use serde::Deserialize;
use tokio::time::timeout;

use super::servers::{Run, Servers};
use super::tally::{Tally, of_rust};
use crate::checkout;
use crate::console::{say, step};
use crate::program::Program;

/// A hang limit for one test program.
const PROGRAM_LIMIT: Duration = Duration::from_mins(20);

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    id: String,
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
    kind: Vec<String>,
    test: bool,
    src_path: PathBuf,
}

#[derive(Deserialize)]
struct Message {
    package_id: Option<String>,
    target: Option<Target>,
    profile: Option<Profile>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

/// A test program of a package.
struct TestProgram {
    package_id: String,
    target: (String, Vec<String>),
    path: PathBuf,
}

/// What was built: as much as could be.
pub(crate) struct Build {
    packages: Vec<Package>,
    programs: Vec<TestProgram>,
}

impl Build {
    /// Builds all targets of the workspace with one set of features, so that nothing is compiled
    /// twice; a package that fails does not keep the others from their tests.
    pub(crate) async fn all(run: &Run) -> Result<Self> {
        let log = run.log("build");
        let packages = run.dir().join("packages.json");
        let messages = run.dir().join("messages.json");
        let cargo = |args: &[&str]| Program::new("cargo").args(args).with_whole_env();
        cargo(&["metadata", "--no-deps", "--format-version=1"])
            .start_split(&packages, &log)?
            .ended()
            .await;
        let metadata: Metadata = serde_json::from_str(&fs::read_to_string(&packages)?)
            .context("cargo metadata gives no packages: is a Cargo.toml damaged?")?;

        let built = step("build everything", async {
            let process = cargo(&[
                "build",
                "--workspace",
                "--all-targets",
                "--keep-going",
                "--message-format=json-render-diagnostics",
            ])
            .start_split(&messages, &log)?;
            Ok(process.ended().await)
        })
        .await?;
        if !built.success() {
            say(fs::read_to_string(&log).unwrap_or_default());
        }
        let programs = fs::read_to_string(&messages)?
            .lines()
            .filter_map(|line| test_program(serde_json::from_str(line).ok()?))
            .collect();
        Ok(Self { packages: metadata.packages, programs })
    }

    /// Every library and program, by its name, with the file that it begins with.
    pub(crate) fn crates(&self) -> impl Iterator<Item = (&str, &Path)> {
        let targets = self.packages.iter().flat_map(|package| &package.targets);
        let ours =
            targets.filter(|target| target.kind.iter().any(|kind| kind == "lib" || kind == "bin"));
        ours.map(|target| (target.name.as_str(), target.src_path.as_path()))
    }

    /// Runs the test programs of one package, from the package's directory.
    pub(crate) async fn test(&self, name: &str, run: &Run, servers: &Servers) -> Result<Tally> {
        let package = self
            .packages
            .iter()
            .find(|package| package.name == name)
            .with_context(|| format!("the workspace has no package {name}"))?;
        let programs: Vec<&TestProgram> =
            self.programs.iter().filter(|program| program.package_id == package.id).collect();
        let built: HashSet<(&str, &[String])> = programs
            .iter()
            .map(|program| (program.target.0.as_str(), program.target.1.as_slice()))
            .collect();
        let mut tally = Tally::default();
        for target in package.targets.iter().filter(|target| target.test) {
            if !built.contains(&(target.name.as_str(), target.kind.as_slice())) {
                say(format!("{name}: {} {} did not build", target.kind.join(" "), target.name));
                tally += Tally::ONE_FAILED;
            }
        }
        let dir = package.manifest_path.parent().unwrap_or(checkout::root());
        for program in programs {
            let label = format!("{} {}", program.target.1.join(" "), program.target.0);
            let log = run.log(&format!("{name}-{}", label.replace(' ', "-")));
            let command = Program::new(&program.path).dir(dir).env("CARGO_MANIFEST_DIR", dir);
            let process = servers.surround(command, run).start(&log)?;
            let ended = step(&label, async { Ok(timeout(PROGRAM_LIMIT, process.ended()).await) });
            let ended = ended.await?;
            drop(process);
            let hung = ended.is_err();
            let output = fs::read_to_string(&log).unwrap_or_default();
            let counted = of_rust(&output, ended.is_ok_and(|status| status.success()));
            if counted.failed > 0 {
                say(output);
            }
            if hung {
                say(format!("{label} hung for {} s and was killed", PROGRAM_LIMIT.as_secs()));
            }
            tally += counted;
        }
        Ok(tally)
    }
}

fn test_program(message: Message) -> Option<TestProgram> {
    if !message.profile?.test {
        return None;
    }
    let target = message.target?;
    Some(TestProgram {
        package_id: message.package_id?,
        target: (target.name, target.kind),
        path: message.executable?,
    })
}
