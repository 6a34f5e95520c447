//! What a process has used up.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Resource, getrlimit, setrlimit};

/// Linux counts processor time in hundredths of a second everywhere (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// The processor time of a process and its threads, also those that ended.
pub(crate) fn cpu_time(pid: i32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).context("the service is gone")?;
    ticks(&stat).map(|ticks| TICK * ticks).context("the kernel does not tell processor time")
}

/// `utime` and `stime`, the 12th and 13th field behind the name (`proc_pid_stat(5)`).
fn ticks(stat: &str) -> Option<u32> {
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let (user, system): (u32, u32) = (fields.next()?.parse().ok()?, fields.next()?.parse().ok()?);
    user.checked_add(system)
}

/// The processor time of this process.
pub(crate) fn own_cpu_time() -> Result<Duration> {
    cpu_time(i32::try_from(std::process::id())?)
}

/// The resident memory of a process, in bytes.
pub(crate) fn memory(pid: i32) -> Result<u64> {
    let status =
        fs::read_to_string(format!("/proc/{pid}/status")).context("the process is gone")?;
    resident(&status).context("the kernel does not tell memory")
}

/// The resident memory of this process, in bytes.
pub(crate) fn own_memory() -> Result<u64> {
    memory(i32::try_from(std::process::id())?)
}

/// Lets this process, and what it starts, open as many files as the system allows. Many shells
/// allow 1,024 at first.
pub(crate) fn open_many_files() -> Result<()> {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).context("the limit of open files stays where it is")
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
