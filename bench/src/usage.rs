//! What a process has used up.

use std::fs;
use std::time::Duration;

use anyhow::{Context as _, Result};

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

/// The resident memory of this process, in bytes.
pub(crate) fn own_memory() -> Result<u64> {
    let status = fs::read_to_string("/proc/self/status").context("no /proc")?;
    resident(&status).context("the kernel does not tell memory")
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
#[path = "usage_tests.rs"]
mod tests;
