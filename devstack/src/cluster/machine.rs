//! What a cluster needs of this machine, and what it leaves there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};
use tokio::time::Instant;

use super::network::{NAME, NAMESPACE};
use super::tool::tool;
use crate::process;

const CGROUPS: &str = "/sys/fs/cgroup";
/// How long what was killed may take to be gone.
const GONE: Duration = Duration::from_secs(20);
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// Settings of the kernel that a kubelet changes for the whole machine.
const SETTINGS: [&str; 6] = [
    "kernel/panic",
    "kernel/panic_on_oops",
    "kernel/keys/root_maxbytes",
    "kernel/keys/root_maxkeys",
    "vm/overcommit_memory",
    "vm/panic_on_oom",
];

/// Why this machine can run no cluster, if it cannot.
#[must_use]
pub fn obstacle() -> Option<String> {
    if !Uid::effective().is_root() {
        return Some("a kubelet must be root: run it as root or with sudo".into());
    }
    if let Err(error) = tool("unshare", ["--net", "--mount", "true"]) {
        return Some(format!("no namespaces can be made here: {error:#}"));
    }
    if !hierarchies().iter().any(|hierarchy| can_be_written(hierarchy)) {
        return Some(format!("no control group can be made at {CGROUPS}"));
    }
    None
}

/// The hierarchies of control groups: one with version 2, one per set of controllers with version 1.
fn hierarchies() -> Vec<PathBuf> {
    let root = PathBuf::from(CGROUPS);
    if root.join("cgroup.controllers").exists() {
        return vec![root];
    }
    let entries = fs::read_dir(root).into_iter().flatten().flatten();
    // A controller's own name may be a link to the set that it is mounted with.
    let mounted = entries.filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()));
    mounted.map(|entry| entry.path()).collect()
}

fn can_be_written(hierarchy: &Path) -> bool {
    let probe = hierarchy.join(format!("{NAME}-probe-{}", std::process::id()));
    fs::create_dir(&probe).is_ok() && fs::remove_dir(&probe).is_ok()
}

/// Makes the group that our kubelet has its pods under, and nobody else: whoever is in there may be killed. A kubelet
/// names what it misses where one cannot be made.
pub(super) fn make_groups() {
    for hierarchy in hierarchies() {
        let controllers = fs::read_to_string(hierarchy.join("cgroup.controllers"));
        // With version 2 a group has the controllers that are handed on to it.
        for controller in controllers.unwrap_or_default().split_whitespace() {
            let _ = fs::write(hierarchy.join("cgroup.subtree_control"), format!("+{controller}"));
        }
        let _ = fs::create_dir(hierarchy.join(NAME));
    }
}

/// That group in every hierarchy that has it.
fn groups() -> Vec<PathBuf> {
    hierarchies().into_iter().map(|root| root.join(NAME)).filter(|dir| dir.is_dir()).collect()
}

/// The processes in pods, each once: with version 1 it is in a group of every hierarchy.
fn processes_in_pods() -> BTreeSet<i32> {
    groups().iter().flat_map(|group| processes_in(group)).collect()
}

fn processes_in(group: &Path) -> Vec<i32> {
    let listed = fs::read_to_string(group.join("cgroup.procs")).unwrap_or_default();
    let mut found: Vec<i32> = listed.lines().filter_map(|line| line.parse().ok()).collect();
    for child in fs::read_dir(group).into_iter().flatten().flatten() {
        if child.path().is_dir() {
            found.extend(processes_in(&child.path()));
        }
    }
    found
}

/// The settings of the kernel that a kubelet changes, one `NAME=VALUE` a line.
#[must_use]
pub fn settings() -> String {
    let value = |name: &str| fs::read_to_string(Path::new("/proc/sys").join(name)).ok();
    let known =
        SETTINGS.iter().filter_map(|name| Some(format!("{name}={}\n", value(name)?.trim())));
    known.collect()
}

/// Puts settings back.
pub(super) fn restore(settings: &str) -> Result<()> {
    for (name, value) in settings.lines().filter_map(|line| line.split_once('=')) {
        let path = Path::new("/proc/sys").join(name);
        if fs::read_to_string(&path).is_ok_and(|now| now.trim() != value) {
            fs::write(&path, value).with_context(|| format!("{} stays", path.display()))?;
        }
    }
    Ok(())
}

/// Kills all processes in a network namespace and in pods, and waits until they are gone.
pub(super) fn kill_all(namespace: &Path) -> Result<()> {
    let deadline = Instant::now() + GONE;
    loop {
        let mut left = processes_of(namespace);
        left.extend(processes_in_pods());
        if left.is_empty() {
            return Ok(());
        }
        for pid in &left {
            // It may be gone already.
            let _ = kill(Pid::from_raw(*pid), Signal::SIGKILL);
        }
        if Instant::now() >= deadline {
            bail!("processes {left:?} of the cluster cannot be killed");
        }
        sleep(LOOK_AGAIN);
    }
}

fn processes_of(namespace: &Path) -> Vec<i32> {
    let Ok(wanted) = fs::metadata(namespace) else { return Vec::new() };
    let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = processes.filter_map(|entry| entry.file_name().to_str()?.parse::<i32>().ok());
    let is_there = |pid: &i32| {
        let own = fs::metadata(format!("/proc/{pid}/ns/net"));
        own.is_ok_and(|own| own.ino() == wanted.ino() && own.dev() == wanted.dev())
    };
    ids.filter(is_there).collect()
}

/// Unmounts everything below a directory.
pub(super) fn unmount_below(dir: &Path) -> Result<()> {
    let mounts = fs::read_to_string("/proc/self/mounts").context("the mounts are not known")?;
    let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
    let mut below: Vec<&str> = points.filter(|point| Path::new(point).starts_with(dir)).collect();
    // Later ones may lie on earlier ones.
    below.reverse();
    below.into_iter().try_for_each(|point| tool("umount", ["--lazy", point]).map(drop))
}

/// Removes the group of the pods in every hierarchy.
pub(super) fn remove_groups() -> Result<()> {
    fn remove(group: &Path) -> std::io::Result<()> {
        for child in fs::read_dir(group)?.flatten() {
            if child.path().is_dir() {
                remove(&child.path())?;
            }
        }
        fs::remove_dir(group)
    }
    let deadline = Instant::now() + GONE;
    for group in groups() {
        // The kernel takes a moment to see that nobody is in there any more.
        while let Err(error) = remove(&group) {
            if Instant::now() >= deadline {
                return Err(error).with_context(|| format!("{} stays", group.display()));
            }
            sleep(LOOK_AGAIN);
        }
    }
    Ok(())
}

/// The memory of a cluster in MiB, pages that are shared counted once.
#[derive(Clone, Copy, Debug)]
pub struct Memory {
    /// The programs of Kubernetes, containerd and what it started but the pods.
    pub node: u64,
    /// The pods, those of the chart and the name server.
    pub pods: u64,
    /// The servers beside the cluster, and whoever started everything.
    pub beside: u64,
}

/// The memory of the cluster that a process runs.
pub(crate) fn memory(supervisor: i32) -> Memory {
    let pods: Vec<i32> = processes_in_pods().into_iter().collect();
    let mut node = processes_of(Path::new(NAMESPACE));
    node.retain(|pid| !pods.contains(pid));
    let mut beside = process::tree(supervisor);
    beside.retain(|pid| !pods.contains(pid) && !node.contains(pid));
    let [node, pods, beside] =
        [node, pods, beside].map(|pids| process::memory_of(&pids).pss / 1024);
    Memory { node, pods, beside }
}

/// What a program in pods uses.
#[derive(Clone, Copy, Debug, Default)]
pub struct Use {
    /// What its largest process has in memory, in MiB: its own pages and those of its file, which the kubelet counts for
    /// whoever read them first, such as containerd when it unpacks an image.
    pub memory: u64,
    /// The processor time of all its processes until now.
    pub processor: Duration,
}

/// What each program in pods uses, by its name.
pub(super) fn used() -> BTreeMap<String, Use> {
    let mut found: BTreeMap<String, Use> = BTreeMap::new();
    for pid in processes_in_pods() {
        // It may have ended this instant.
        let Ok(name) = fs::read_to_string(format!("/proc/{pid}/comm")) else { continue };
        let used = found.entry(name.trim().to_owned()).or_default();
        used.memory = used.memory.max(process::memory_of(&[pid]).rss / 1024);
        used.processor += process::cpu_time(pid).unwrap_or_default();
    }
    found
}
