//! What the kernel knows about processes: descendants and memory.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// Memory of a process tree in KiB.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Memory {
    /// Resident set: pages shared between processes count in each.
    pub(crate) rss: u64,
    /// Proportional set: shared pages are divided among those who share them.
    pub(crate) pss: u64,
}

/// The process and all its descendants.
pub(crate) fn tree(root: i32) -> Vec<i32> {
    let mut children: HashMap<i32, Vec<i32>> = HashMap::new();
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(pid) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Some(parent) = parent(pid) {
            children.entry(parent).or_default().push(pid);
        }
    }
    let mut found = vec![root];
    let mut next = 0;
    while let Some(pid) = found.get(next).copied() {
        found.extend(children.remove(&pid).unwrap_or_default());
        next += 1;
    }
    found
}

/// Whether it runs: what is dead and not yet waited for by its parent holds nothing any more.
pub(crate) fn is_alive(pid: i32) -> bool {
    status(pid, 0).is_some_and(|state| state != "Z" && state != "X")
}

/// Whether none of its threads does anything any more: each is stopped or gone.
pub(crate) fn is_stopped(pid: i32) -> bool {
    let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
    let mut states = threads.filter_map(|thread| field(&thread.path().join("stat"), 0));
    states.all(|state| ["T", "Z", "X"].contains(&state.as_str()))
}

/// When it was started, in ticks since the machine was: with its id, what no other process has.
pub(crate) fn started(pid: i32) -> Option<u64> {
    status(pid, 19)?.parse().ok()
}

/// The processor time of a process and its threads, also those that ended.
pub(crate) fn cpu_time(pid: i32) -> Option<Duration> {
    /// Linux counts it in hundredths of a second everywhere (`USER_HZ`).
    const TICK: Duration = Duration::from_millis(10);
    let (user, system): (u32, u32) =
        (status(pid, 11)?.parse().ok()?, status(pid, 12)?.parse().ok()?);
    Some(TICK * user.checked_add(system)?)
}

fn parent(pid: i32) -> Option<i32> {
    status(pid, 1)?.parse().ok()
}

fn status(pid: i32, number: usize) -> Option<String> {
    field(Path::new(&format!("/proc/{pid}/stat")), number)
}

/// A field of a `stat` behind the name, which may hold spaces and parentheses (`proc_pid_stat(5)`): 0 is
/// the state, 1 the parent.
fn field(stat: &Path, number: usize) -> Option<String> {
    let stat = fs::read_to_string(stat).ok()?;
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(number).map(str::to_owned)
}

/// The memory of a process and its descendants, as far as this user may see it.
pub(crate) fn memory(root: i32) -> Memory {
    memory_of(&tree(root))
}

/// The memory of these processes alone.
pub(crate) fn memory_of(pids: &[i32]) -> Memory {
    pids.iter().filter_map(|pid| fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()).fold(
        Memory::default(),
        |sum, rollup| Memory {
            rss: sum.rss + kib(&rollup, "Rss:"),
            pss: sum.pss + kib(&rollup, "Pss:"),
        },
    )
}

fn kib(rollup: &str, key: &str) -> u64 {
    rollup
        .lines()
        .find_map(|line| line.strip_prefix(key))
        .and_then(|value| value.split_whitespace().next()?.parse().ok())
        .unwrap_or_default()
}
