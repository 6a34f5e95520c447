//! What a cluster leaves on a machine: nothing, also when whoever ran it was killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use devstack::{checkout, cluster};
use tokio::process::Command;

use crate::wait::until_after;

const HOME: &str = "/var/lib/dev-cluster";
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
    settings: String,
    /// What is there already is somebody else's, and changes without us.
    absent: Vec<PathBuf>,
}

impl Before {
    /// Looks.
    pub fn look() -> Result<Self> {
        let home = std::env::home_dir().context("whoever runs this has no home")?;
        let mut absent: Vec<PathBuf> = PLACES.map(PathBuf::from).into();
        absent.push(home.join(".kube"));
        absent.retain(|place| !place.exists());
        Ok(Self { settings: cluster::settings(), absent })
    }
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
    let groups = below.chain([cgroups.to_path_buf()]).map(|dir| dir.join("dev-cluster"));
    found.extend(groups.filter(|dir| dir.exists()).map(|dir| dir.display().to_string()));
    let now = cluster::settings();
    let changed = now.lines().filter(|line| !before.settings.lines().any(|known| known == *line));
    found.extend(changed.map(|line| format!("the setting {line}")));
    let made = before.absent.iter().filter(|place| place.exists());
    found.extend(made.map(|place| place.display().to_string()));
    for process in fs::read_dir("/proc")?.flatten() {
        let command = fs::read(process.path().join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if command.contains(HOME) {
            found.push(format!("the process {command}"));
        }
    }
    Ok(found)
}
