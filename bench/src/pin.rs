//! Which processor does what: the service has one for itself, and the database and whoever calls
//! share the others, so that neither takes the other's time.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail, ensure};
use devstack::checkout;

/// The processors of one run, as `taskset -c` names them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cores {
    /// The processor of the service.
    pub(crate) service: String,
    /// The processors of the database and of the callers.
    pub(crate) callers: String,
}

/// Set in the process that is pinned already, with all the processors there were before.
const PINNED: &str = "BENCH_CORES";

impl Cores {
    /// Pins this process, and with it what it starts, to all processors but one. That begins the
    /// program anew: threads that run already could not be moved.
    pub(crate) fn divide() -> Result<Self> {
        if let Ok(all) = std::env::var(PINNED) {
            return Self::of(&parse(&all)?);
        }
        let all = allowed(&fs::read_to_string("/proc/self/status")?)?.to_owned();
        let cores = Self::of(&parse(&all)?)?;
        let error = Command::new("taskset")
            .args(["-c", &cores.callers])
            .arg(std::env::current_exe()?)
            .args(std::env::args_os().skip(1))
            .env(PINNED, all)
            .exec();
        Err(error).context("taskset (util-linux) cannot be started")
    }

    fn of(all: &[u32]) -> Result<Self> {
        let [service, callers @ ..] = all else { bail!("no processor") };
        if callers.is_empty() {
            bail!("a benchmark needs two processors: one for the service, one for its callers");
        }
        let callers: Vec<String> = callers.iter().map(u32::to_string).collect();
        Ok(Self { service: service.to_string(), callers: callers.join(",") })
    }

    /// Whether broker, database and callers can have a processor each, beside that of the service.
    pub(crate) fn has_others_apart(&self) -> bool {
        self.callers.split(',').count() >= 3
    }

    /// All processors of this run.
    pub(crate) fn all(&self) -> String {
        format!("{},{}", self.service, self.callers)
    }
}

/// What a program of this workspace prints that runs on these processors.
pub(crate) async fn output_of<A: AsRef<OsStr>>(
    cores: &str,
    program: &str,
    args: impl IntoIterator<Item = A>,
) -> Result<Vec<u8>> {
    let output = tokio::process::Command::new("taskset")
        .args(["--cpu-list", cores])
        .arg(checkout::binary(program)?)
        .args(args)
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .context("taskset (util-linux) cannot be started")?;
    ensure!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    Ok(output.stdout)
}

/// The list in `/proc/PID/status` (`proc_pid_status(5)`).
fn allowed(status: &str) -> Result<&str> {
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"));
    Ok(list.context("the kernel does not tell the processors")?.trim())
}

/// A list such as `0-2,5`.
fn parse(list: &str) -> Result<Vec<u32>> {
    let mut cores = Vec::new();
    for part in list.split(',') {
        let (from, to) = part.split_once('-').unwrap_or((part, part));
        let number = |text: &str| text.trim().parse::<u32>().context("a list of processors");
        cores.extend(number(from)?..=number(to)?);
    }
    Ok(cores)
}

#[cfg(test)]
#[path = "pin_tests.rs"]
mod tests;
