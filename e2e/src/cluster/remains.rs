//! What a cluster leaves on a machine: nothing, also when whoever ran it was killed.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use devstack::checkout;
use tokio::process::Command;

use crate::wait::until_after;

const HOME: &str = "/var/lib/dev-cluster";
/// Settings of the kernel that kubelets are known to change.
const SETTINGS: [&str; 3] = ["kernel/panic", "kernel/panic_on_oops", "vm/overcommit_memory"];
/// A hang limit for a cluster with nothing in it.
const UP: Duration = Duration::from_mins(4);

/// Where the programs of a cluster are known to leave files, whatever they are told.
const PLACES: [&str; 7] = [
    "/run/containerd",
    "/usr/libexec/kubernetes",
    "/var/lib/cni",
    "/var/lib/containerd",
    "/var/lib/kubelet",
    "/var/log/containers",
    "/var/log/pods",
];

/// What there was before there was a cluster.
pub struct Before {
    settings: Settings,
    files: BTreeSet<PathBuf>,
}

type Settings = BTreeMap<&'static str, String>;

impl Before {
    /// Looks.
    pub fn look() -> Result<Self> {
        Ok(Self { settings: settings()?, files: files()? })
    }
}

fn settings() -> Result<Settings> {
    let read = |name| {
        let text = fs::read_to_string(Path::new("/proc/sys").join(name)).context(name)?;
        Ok((name, text.trim().to_owned()))
    };
    SETTINGS.into_iter().map(read).collect()
}

fn files() -> Result<BTreeSet<PathBuf>> {
    let mut found = BTreeSet::new();
    let home = std::env::home_dir().context("whoever runs this has no home")?;
    let mut folders: Vec<PathBuf> = PLACES.map(PathBuf::from).into();
    folders.push(home.join(".kube"));
    while let Some(folder) = folders.pop() {
        // It may have gone this instant, or never have been there.
        let Ok(entries) = fs::read_dir(&folder) else { continue };
        for entry in entries.flatten() {
            if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                folders.push(entry.path());
            }
            found.insert(entry.path());
        }
    }
    Ok(found)
}

/// Starts a cluster by the command, kills the command, and has the next one clean up.
pub async fn killed(before: &Before) -> Result<()> {
    let devstack = checkout::binary("devstack")?;
    let ready = checkout::state().join("cluster.kubeconfig");
    let command = |args: &[&str]| {
        let mut command = Command::new(&devstack);
        command.args(args).stdin(Stdio::null()).stdout(Stdio::null()).kill_on_drop(true);
        command
    };
    let mut up = command(&["cluster", "up", "--bare", "--background"]).spawn()?;
    until_after(UP, "the cluster is up", async || {
        ensure!(up.try_wait()?.is_none(), "the command ended");
        ensure!(ready.exists(), "it is not ready");
        Ok(())
    })
    .await?;
    ensure!(
        !found(before)?.is_empty(),
        "a cluster that runs is not seen, so its remains would not be"
    );
    up.kill().await?;
    let down = command(&["cluster", "down"]).status().await?;
    ensure!(down.success(), "down ended with {down}");
    nothing(before)
}

/// Fails when something of a cluster is there.
pub fn nothing(before: &Before) -> Result<()> {
    let found = found(before)?;
    ensure!(found.is_empty(), "there are still: {}", found.join(", "));
    Ok(())
}

fn found(before: &Before) -> Result<Vec<String>> {
    let mut found = Vec::new();
    for path in [HOME, "/run/netns/dev-cluster", "/sys/class/net/dev-cluster"] {
        if Path::new(path).exists() {
            found.push(path.to_owned());
        }
    }
    let mounts = fs::read_to_string("/proc/self/mounts")?;
    let ours = mounts.lines().filter(|line| line.contains(HOME));
    found.extend(ours.map(|line| format!("the mount {line}")));
    let rules = std::process::Command::new("nft").args(["list", "tables"]).output()?;
    if String::from_utf8_lossy(&rules.stdout).contains("dev-cluster") {
        found.push("the rules of nftables".to_owned());
    }
    let cgroups = Path::new("/sys/fs/cgroup");
    let below = fs::read_dir(cgroups)?.flatten().map(|entry| entry.path());
    let groups = below.chain([cgroups.to_path_buf()]).map(|dir| dir.join("kubepods"));
    found.extend(groups.filter(|dir| dir.exists()).map(|dir| dir.display().to_string()));
    for (name, value) in settings()? {
        if before.settings.get(name) != Some(&value) {
            found.push(format!("{name}={value}"));
        }
    }
    let files = files()?;
    found.extend(files.difference(&before.files).map(|path| path.display().to_string()));
    for process in fs::read_dir("/proc")?.flatten() {
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(HOME) {
            found.push(format!("the process {command}"));
        }
    }
    Ok(found)
}
