//! Where the cluster lies on this machine: one place, because there is one cluster at a time.
//!
//! The place is a claim, too: whoever finds it unclaimed removes what a killed cluster has left. Stopping is the
//! same removal, so there is one way for both.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{Seek as _, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};
use nix::unistd::{Pid, Uid};

use super::{machine, network};
use crate::console::say;
use crate::{checkout, postgres_folders, process};

/// Short: sockets lie below it, whose paths hold 107 bytes (unix(7)).
const PATH: &str = "/var/lib/dev-cluster";
/// Where the kubelet links the logs of containers, whatever it is told.
const LINKS_TO_LOGS: &str = "/var/log/containers";
/// Where the plugins of CNI note what they gave to whom.
const NOTES_OF_NETWORKS: &str = "/var/lib/cni/results";
/// Where the kubelet hears plugins of devices, whatever it is told: a second one would take the place of the first.
const SOCKET_OF_DEVICES: &str = "/var/lib/kubelet/device-plugins/kubelet.sock";
/// Folders that the programs make elsewhere, those below others first.
const FOLDERS: [&str; 7] = [
    LINKS_TO_LOGS,
    NOTES_OF_NETWORKS,
    "/var/lib/cni",
    "/var/lib/kubelet/device-plugins",
    "/var/lib/kubelet",
    "/run/containerd/s",
    "/run/containerd",
];

/// The claimed place. What lies there, and everything of the cluster on this machine, goes when it is dropped.
pub(crate) struct Home {
    claim: File,
}

/// Whose cluster there is, or was before it was killed.
pub(crate) struct Owner {
    /// The process, if it still runs.
    pub(crate) pid: Option<Pid>,
    /// Its checkout.
    pub(crate) checkout: PathBuf,
}

impl Home {
    /// Takes the place, cleaned of what the last one left, or nothing when somebody has it.
    pub(crate) fn take() -> Result<Option<Self>> {
        ensure!(Uid::effective().is_root(), "a cluster is root's: run it as root or with sudo");
        let claim = Path::new(PATH).join("claim");
        loop {
            fs::create_dir_all(PATH).with_context(|| format!("{PATH} cannot be made"))?;
            let opened = OpenOptions::new().create(true).truncate(false).write(true).open(&claim);
            let file = match opened {
                // Whoever had it removed it this instant.
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
                opened => opened.with_context(|| format!("{} cannot be made", claim.display()))?,
            };
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                Err(TryLockError::Error(error)) => return Err(error).context("no lock"),
            }
            let same = |there: fs::Metadata| {
                Ok::<_, std::io::Error>(there.ino() == file.metadata()?.ino())
            };
            if fs::metadata(&claim).and_then(same).unwrap_or(false) {
                let mut home = Self { claim: file };
                // First: whoever asks from now on learns who has it, and not who had it.
                home.sign()?;
                home.clean()?;
                home.note_settings()?;
                return Ok(Some(home));
            }
        }
    }

    /// Who has the place, or had it last.
    pub(crate) fn owner() -> Option<Owner> {
        let text = fs::read_to_string(Path::new(PATH).join("claim")).ok()?;
        let mut parts = text.trim().splitn(3, ' ');
        let (pid, started): (i32, u64) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        // Its id may be another process's by now.
        let runs = process::is_alive(pid) && process::started(pid) == Some(started);
        Some(Owner { pid: runs.then_some(Pid::from_raw(pid)), checkout: parts.next()?.into() })
    }

    /// A path in it.
    #[expect(clippy::unused_self, reason = "whoever has none has no paths in it")]
    pub(super) fn join(&self, name: &str) -> PathBuf {
        Path::new(PATH).join(name)
    }

    fn sign(&mut self) -> Result<()> {
        let pid = std::process::id();
        let started = process::started(i32::try_from(pid).context("a process id is an i32")?);
        let started = started.context("the kernel does not tell when this process was started")?;
        let text = format!("{pid} {started} {}\n", checkout::root().display());
        let mut write = || -> std::io::Result<()> {
            self.claim.set_len(0)?;
            self.claim.rewind()?;
            self.claim.write_all(text.as_bytes())
        };
        write().context("the claim cannot be written")
    }

    fn note_settings(&self) -> Result<()> {
        fs::write(self.join("settings"), machine::settings())
            .context("the kernel's settings are not kept")
    }

    /// Removes everything of a cluster from this machine but the claim. What is not there needs no removing.
    fn clean(&self) -> Result<()> {
        let home = Path::new(PATH);
        let is_left = home.join("settings").exists() || Path::new(network::NAMESPACE).exists();
        if !is_left {
            return Ok(());
        }
        machine::kill_all(Path::new(network::NAMESPACE))?;
        machine::unmount_below(home)?;
        network::remove()?;
        machine::remove_groups()?;
        self.remove_outside();
        if let Ok(settings) = fs::read_to_string(home.join("settings")) {
            machine::restore(&settings)?;
        }
        for entry in fs::read_dir(home).with_context(|| format!("{PATH} cannot be read"))?.flatten()
        {
            let path = entry.path();
            if entry.file_name() == "claim" {
                continue;
            }
            let is_dir = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let removed = if is_dir { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            removed.with_context(|| format!("{} stays", path.display()))?;
        }
        postgres_folders::sweep();
        Ok(())
    }

    /// What the programs put elsewhere: the sockets of containerd's shims, and links to logs.
    fn remove_outside(&self) {
        let tasks = self.join("containerd-run/io.containerd.runtime.v2.task/k8s.io");
        let mut ids = Vec::new();
        for task in fs::read_dir(tasks).into_iter().flatten().flatten() {
            ids.extend(task.file_name().into_string());
            let address = fs::read_to_string(task.path().join("address")).unwrap_or_default();
            if let Some(socket) = address.strip_prefix("unix://") {
                // Containers of a pod share one.
                let _ = fs::remove_file(socket);
            }
        }
        let links = fs::read_dir(LINKS_TO_LOGS).into_iter().flatten().flatten();
        for link in links.map(|entry| entry.path()) {
            if fs::read_link(&link).is_ok_and(|target| target.starts_with(PATH)) {
                let _ = fs::remove_file(&link);
            }
        }
        let notes = fs::read_dir(NOTES_OF_NETWORKS).into_iter().flatten().flatten();
        let is_ours = |name: &str| {
            name.starts_with(network::NAME) || ids.iter().any(|id| name.contains(id.as_str()))
        };
        for note in notes.filter(|note| note.file_name().to_str().is_some_and(is_ours)) {
            let _ = fs::remove_file(note.path());
        }
        if !kubelet_runs() {
            let _ = fs::remove_file(SOCKET_OF_DEVICES);
        }
        for folder in FOLDERS {
            // Succeeds when it is empty only.
            let _ = fs::remove_dir(folder);
        }
    }
}

/// Whether a kubelet runs on this machine: while there is no cluster of ours, another's. What a killed one leaves refuses.
pub(super) fn kubelet_runs() -> bool {
    UnixStream::connect(SOCKET_OF_DEVICES).is_ok()
}

impl Drop for Home {
    fn drop(&mut self) {
        match self.clean() {
            Ok(()) => {
                let _ = fs::remove_file(Path::new(PATH).join("claim"));
                let _ = fs::remove_dir(PATH);
            }
            Err(error) => say(format!("the cluster is not removed as a whole: {error:#}")),
        }
    }
}
